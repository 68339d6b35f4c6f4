/**
 * A program of somebody who has the OpenAPI document and nothing else of Handfast. The test beside it generates `./client`
 * with a stock generator, compiles this file against it, and runs one step after the other.
 *
 * Arguments: the step, the id of the device, a folder. Variables: API_KEY; NODE_EXTRA_CA_CERTS names the root certificate.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { client } from './client/client.gen.js'
import {
  type DeviceView,
  editDevice,
  enrolDevice,
  fetchCaCertificates,
  importDevices,
  listAttempts,
  listDevices,
  type ProblemView,
  registerDevice,
  revokeDevice,
  showDevice,
  showHub,
} from './client/index.js'

const [step = '', id = '', folder = ''] = process.argv.slice(2)
const file = (name: string): string => join(folder, name)

// The address of the API stands in the document, and so in the client.
client.setConfig({ auth: () => process.env.API_KEY })

/** The answer, or the end of the program: what it says is the problem as the document describes it. */
function answered<T>(result: { readonly data?: T | undefined; readonly error?: ProblemView | undefined }): T {
  if (result.data === undefined)
    throw new Error(`refused: ${result.error?.code} ${result.error?.detail} ${result.error?.hint}`)
  return result.data
}

function openssl(args: readonly string[], input?: string | Buffer): Buffer {
  return execFileSync('openssl', args, input === undefined ? {} : { input })
}

const steps: Readonly<Record<string, () => Promise<unknown>>> = {
  async enrol() {
    const hub = answered(await showHub())
    const body = { id, group: 'line-2', attributes: { site: 'hall-2' }, tokenLifetimeSec: 3_600 }
    const headers = { 'Idempotency-Key': `register ${id}`.replace(' ', '-') }
    const { enrolment, device } = answered(await registerDevice({ body, headers }))
    const again = answered(await registerDevice({ body, headers }))
    if (again.enrolment.token !== enrolment.token) throw new Error('the same request was answered with another token')

    // The EST operations say where they are served; the generator keeps one address, so theirs is given.
    const est = { baseUrl: new URL(enrolment.estUrl).origin, parseAs: 'text' } as const
    const chain = answered(await fetchCaCertificates(est))
    const authorities = openssl(['pkcs7', '-inform', 'DER', '-print_certs'], Buffer.from(chain, 'base64')).toString()
    const root = openssl(['x509', '-outform', 'DER'], authorities)
    const digest = openssl(['dgst', '-sha256', '-r'], root).toString().slice(0, 64)
    if (digest !== enrolment.rootFingerprint) throw new Error('another root')

    openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', file('key.pem')])
    const request = openssl(['req', '-new', '-key', file('key.pem'), '-subj', `/CN=${device.id}`, '-outform', 'DER'])
    const issued = answered(
      await enrolDevice({
        ...est,
        auth: () => `${device.id}:${enrolment.token}`,
        body: request.toString('base64'),
        bodySerializer: null,
      }),
    )
    if (typeof issued !== 'string') throw new Error(issued.detail)
    const certificate = openssl(['pkcs7', '-inform', 'DER', '-print_certs'], Buffer.from(issued, 'base64')).toString()
    writeFileSync(file('cert.pem'), `${certificate}${authorities}`)
    writeFileSync(file('ca.pem'), hub.ca)
    return { host: enrolment.host, mqttPort: enrolment.mqttPort }
  },

  async edit() {
    const { data, response } = await showDevice({ path: { id } })
    if (data?.credentials.length !== 1) throw new Error('the device has no certificate')
    const tag = response?.headers.get('etag') ?? ''
    const body = { group: null, attributes: { site: null, line: '4' } }
    const edited: DeviceView = answered(await editDevice({ path: { id }, body, headers: { 'If-Match': tag } }))
    const late = await editDevice({ path: { id }, body: { group: 'x' }, headers: { 'If-Match': tag } })
    if (late.error?.code !== 'precondition-failed') throw new Error('an edit of what has changed was taken')
    const found = answered(await listDevices({ query: { attr: { 'attr.line': '4' }, limit: 10 } }))
    return { edited, found: found.items.map((device) => device.id), tag: late.error.status }
  },

  async import() {
    const answer = answered(
      await importDevices({
        body: readFileSync(file('fleet.csv'), 'utf8'),
        query: { dryRun: 'true' },
        parseAs: 'text',
      }),
    )
    return answer
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
  },

  async revoke() {
    const change = answered(await revokeDevice({ path: { id }, body: { reason: 'keyCompromise' } }))
    return { state: change.device.state, revoked: change.revoked.length }
  },

  async attempts() {
    const page = answered(await listAttempts({ query: { device: id, outcome: 'refused' } }))
    return page.items.map(({ code }) => code)
  },

  async refuse() {
    const { error, response } = await registerDevice({ body: { id: 'a/b', attributes: { 'no good': 'x' } } })
    return { status: response?.status, code: error?.code, faults: error?.faults }
  },
}

const work = steps[step]
if (work === undefined) throw new Error(`there is no step ${step}`)
process.stdout.write(`${JSON.stringify(await work())}\n`)

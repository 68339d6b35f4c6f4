/** Renewal between real programs: curl and OpenSSL as a stock EST client, a hub in a process of its own, its command line. */
// one database: `renew-under-load` renews on both
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { HubStatusView, RenewalCallView } from '../../src/api-schema/renewals.ts'
import type {
  AttemptView,
  BootstrapView,
  DeviceChangeView,
  DeviceDetailView,
  PageView,
  ProblemView,
} from '../../src/api-schema/views.ts'
import { parseBootstrap } from '../../src/core/identity/bootstrap.ts'
import { formatRenewalCertificateId } from '../../src/core/renewal/certificate-id.ts'
import { Secret } from '../../src/core/secret.ts'
import { readCertificate } from '../../src/core/x509/certificate.ts'
import { type HubProcess, startHubProcess } from '../support/hub-process.ts'
import { needs, programPath } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const programs = needs('curl', 'openssl')

async function output(program: string, args: readonly string[], input = ''): Promise<string> {
  const { status, stdout, stderr } = await run(programPath(program) ?? program, args, { input })
  assert.equal(status, 0, `${program} ${args.join(' ')}\n${stdout}\n${stderr}`)
  return stdout
}

/** A device as files: its key, its certificate, and a request that it sends as often as it wants. */
class StockClient {
  readonly #hub: HubProcess
  readonly #folder: string
  readonly id: string
  #requests = 0

  constructor(hub: HubProcess, folder: string, id: string) {
    this.#hub = hub
    this.#folder = folder
    this.id = id
  }

  /** A key and a request made with it. */
  async keyAndRequest(name: string): Promise<{ key: string; request: string }> {
    const [key, der, request] = ['key', 'der', 'b64'].map((end) => join(this.#folder, `${this.id}-${name}.${end}`))
    assert.ok(key && der && request)
    await output('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', key])
    await output('openssl', ['req', '-new', '-key', key, '-subj', `/CN=${this.id}`, '-outform', 'DER', '-out', der])
    await output('openssl', ['base64', '-in', der, '-out', request])
    return { key, request }
  }

  async enrol(token: string, request: string): Promise<string> {
    const { status, body } = await this.#post('simpleenroll', request, `user = ":${token}"\n`)
    assert.equal(status, 200, body)
    return this.#unpacked(body)
  }

  /** `simplereenroll` with a certificate; answers with the path of the new one, or the problem. */
  async reenrol(shown: { cert: string; key: string }, request: string): Promise<string | ProblemView> {
    const show = `cert = "${shown.cert}"\nkey = "${shown.key}"\n`
    const { status, body } = await this.#post('simplereenroll', request, show)
    return status === 200 ? this.#unpacked(body) : (JSON.parse(body) as ProblemView)
  }

  async #post(operation: string, request: string, config: string): Promise<{ status: number; body: string }> {
    const url = `https://localhost:${this.#hub.https.port}/.well-known/est/${operation}`
    const text = await output(
      'curl',
      [
        ...['--silent', '--show-error', '--write-out', '\n%{http_code}', '--config', '-', '--cacert', this.#hub.ca],
        ...['--header', 'Content-Type: application/pkcs10', '--data-binary', `@${request}`, url],
      ],
      config,
    )
    const end = text.lastIndexOf('\n')
    return { status: Number(text.slice(end + 1)), body: text.slice(0, end) }
  }

  async #unpacked(body: string): Promise<string> {
    this.#requests += 1
    const file = join(this.#folder, `${this.id}-${this.#requests}`)
    writeFileSync(`${file}.b64`, body)
    await output('openssl', ['base64', '-d', '-in', `${file}.b64`, '-out', `${file}.p7`])
    await output('openssl', ['pkcs7', '-inform', 'DER', '-in', `${file}.p7`, '-print_certs', '-out', `${file}.pem`])
    return `${file}.pem`
  }
}

function certificate(path: string | ProblemView): X509Certificate {
  assert.ok(typeof path === 'string', JSON.stringify(path))
  return new X509Certificate(readFileSync(path))
}

async function tokenOf(hub: HubProcess, id: string): Promise<string> {
  const { bootstrap } = await hub.json<BootstrapView>(['device', 'add', id])
  return parseBootstrap(new Secret(bootstrap)).token.reveal()
}

/** Until the clock shows another second, so that another certificate has another end. */
async function nextSecond(): Promise<void> {
  await delay(1_000 - (Date.now() % 1_000) + 5)
}

test('a stock client renews', programs, async (t) => {
  const folder = temporaryFolder(t)
  const hub = await startHubProcess(t, { data: join(folder, 'data') })

  await t.test('five times with one key and one request, and gets a later end each time', async () => {
    const client = new StockClient(hub, folder, 'keeper')
    const { key, request } = await client.keyAndRequest('one')
    let cert = await client.enrol(await tokenOf(hub, 'keeper'), request)
    const first = certificate(cert)
    const ends = [first.validToDate.getTime()]
    for (let renewals = 0; renewals < 5; renewals += 1) {
      await nextSecond()
      const next = await client.reenrol({ cert, key }, request)
      // The answer might have been lost: the same question has the same answer.
      const again = await client.reenrol({ cert, key }, request)
      assert.equal(certificate(again).serialNumber, certificate(next).serialNumber)
      assert.ok(typeof next === 'string')
      cert = next
      ends.push(certificate(cert).validToDate.getTime())
    }
    assert.deepEqual(
      ends,
      [...new Set(ends)].sort((a, b) => a - b),
      'each later than the one before',
    )
    const { credentials, contests } = await hub.json<DeviceDetailView>(['device', 'show', 'keeper'])
    assert.equal(credentials.length, 6)
    assert.deepEqual(contests, [])

    // Whoever steals a key renews for ever, unless what descends from it goes with it (all of it has one key here).
    const serial = first.serialNumber.toLowerCase()
    const change = await hub.json<DeviceChangeView>(['revoke', '--serial', serial, '--reason', 'keyCompromise'])
    assert.equal(change.revoked.length, 6)
    const refused = await client.reenrol({ cert, key }, request)
    assert.ok(typeof refused !== 'string' && refused.code === 'certificate-revoked')
  })

  await t.test('and where its thief renews too, there is an alarm wherever an operator looks', async () => {
    const client = new StockClient(hub, folder, 'stolen')
    const own = await client.keyAndRequest('own')
    const cert = await client.enrol(await tokenOf(hub, 'stolen'), own.request)
    const shown = { cert, key: own.key }
    const [owners, thiefs] = [await client.keyAndRequest('owners'), await client.keyAndRequest('thiefs')]
    const toOwner = certificate(await client.reenrol(shown, owners.request)).serialNumber.toLowerCase()
    const toThief = certificate(await client.reenrol(shown, thiefs.request)).serialNumber.toLowerCase()

    const { contests } = await hub.json<DeviceDetailView>(['device', 'show', 'stolen'])
    assert.deepEqual(
      contests.map(({ earlier, later }) => [earlier, later]),
      [[toOwner, toThief]],
    )
    assert.equal((await hub.json<HubStatusView>(['status'])).renewalsContested, 1)
    assert.match((await hub.cli(['status'])).stdout, /contested\s+1 renewals? in seven days/)
    const { items } = await hub.json<PageView<AttemptView>>(['attempts', '--cause', 'renewal-contested'])
    assert.deepEqual(
      items.map(({ deviceId, outcome, listener }) => [deviceId, outcome, listener]),
      [['stolen', 'admitted', 'est']],
    )
    assert.match((await hub.cli(['device', 'show', 'stolen'])).stdout, /two keys asked to follow/)
    const audit = await hub.cli(['audit'])
    assert.match(audit.stdout, /renewal\.contest/)
  })

  await t.test('when the hub says: an operator calls it, and the window that it asks for is over', async () => {
    const client = new StockClient(hub, folder, 'called')
    const { key, request } = await client.keyAndRequest('one')
    const cert = await client.enrol(await tokenOf(hub, 'called'), request)
    const window = async (path: string): Promise<{ start: string; end: string }> => {
      const { authorityKeyIdentifier, serialNumber } = readCertificate(certificate(path).raw)
      assert.ok(authorityKeyIdentifier !== null)
      const identifier = Buffer.from(authorityKeyIdentifier).toString('hex')
      const name = formatRenewalCertificateId({ authorityKeyIdentifier: identifier, serialNumber })
      const url = `https://localhost:${hub.https.port}/renewal-info/${name}`
      const text = await output('curl', ['--silent', '--fail', '--cacert', hub.ca, url])
      return (JSON.parse(text) as { suggestedWindow: { start: string; end: string } }).suggestedWindow
    }
    assert.ok(Date.parse((await window(cert)).start) > Date.now() + 4 * 86_400_000)
    const call = await hub.json<RenewalCallView>(['device', 'renew', '--now', 'called'])
    assert.equal(call.called, 'called')
    assert.ok(Date.parse((await window(cert)).end) < Date.now())
    const next = await client.reenrol({ cert, key }, request)
    assert.ok(typeof next === 'string')
    assert.ok(Date.parse((await window(next)).start) > Date.now())
  })
})

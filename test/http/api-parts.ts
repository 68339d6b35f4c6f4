/** The admin API over injected requests, where every answer is held to what its operation says. */
import assert from 'node:assert/strict'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { failuresOf, type Operation } from '../../src/api-schema/operation.ts'
import { apiOperations, enrolmentOperations } from '../../src/api-schema/operations.ts'
import { type BootstrapView, type HubView, problemView } from '../../src/api-schema/views.ts'
import { HubError } from '../../src/core/errors.ts'
import { Secret } from '../../src/core/secret.ts'
import { encodePem } from '../../src/core/x509/pem.ts'
import { type ApiServerOptions, apiServer } from '../../src/http/api/api-server.ts'
import { createApiKey } from '../../src/hub/api-keys.ts'
import { enrol } from '../../src/hub/enrol.ts'
import { FailureLimiter } from '../../src/hub/failure-limiter.ts'
import { fetchCrlsNow } from '../../src/hub/fetch-anchor-crls.ts'
import type { StatusFetcher } from '../../src/hub/ports/status-fetcher.ts'
import { currentCrl, fullScope } from '../../src/hub/publish-crl.ts'
import { advanceAll } from '../../src/hub/roll-over/advance.ts'
import { ShadowDifferences } from '../../src/hub/shadow-differences.ts'
import { deviceRequest, type HubParts, hubParts } from '../support/hub-parts.ts'
import type { Answer } from './problem.ts'

export interface ApiParts {
  readonly hub: HubParts
  readonly app: FastifyInstance
  readonly key: string
  readonly differences: ShadowDifferences
  describeHub(): HubView
  /** How often attempts that wait were asked to be written. */
  flushes(): number
}

export async function apiParts(t: { after(step: () => unknown): void }): Promise<ApiParts> {
  const hub = await hubParts(t)
  let flushes = 0
  const describeHub = (): HubView => ({
    version: '0.0.0',
    realm: hub.realm,
    publicName: 'hub.plant.example',
    mqtt: { host: '0.0.0.0', port: 8883 },
    listeners: [{ name: 'mqtt', host: '0.0.0.0', port: 8883, path: null }],
    https: { host: '0.0.0.0', port: 8443 },
    http: { host: '0.0.0.0', port: 8080 },
    api: { host: '0.0.0.0', port: 9443 },
    gateLink: null,
    gates: [],
    rootFingerprint: hub.authorities.root().fingerprint,
    ca: encodePem('CERTIFICATE', hub.authorities.root().certificate),
    sessions: 0,
    upstream: { kind: 'embedded', available: true },
  })
  const differences = new ShadowDifferences()
  const app = apiServer({
    anchorCrls: anchorCrlsOf(hub),
    differences,
    hub,
    limiter: new FailureLimiter(hub.clock),
    desk: deskOf(hub),
    log: hub.log,
    flushAttempts: async () => {
      flushes += 1
    },
    describeHub,
  })
  t.after(() => app.close())
  return { hub, app, differences, key: (await createApiKey(hub, 'test')).reveal(), describeHub, flushes: () => flushes }
}

/** Who fetches CRLs of trust anchors, where nobody on the network answers. */
export function anchorCrlsOf(hub: HubParts): ApiServerOptions['anchorCrls'] {
  const fetcher: StatusFetcher = {
    fetch: async ({ url }) => {
      throw new HubError('status-fetch-failed', `${url} does not answer`)
    },
  }
  return { fetchNow: (id) => fetchCrlsNow({ ...hub, fetcher }, id) }
}

/** Where authorities are changed, at once as far as it goes. */
export function deskOf(hub: HubParts): ApiServerOptions['desk'] {
  return { ...hub, proceed: () => advanceAll({ ...hub, ensureCrl: (id) => currentCrl(hub, fullScope(id)) }) }
}

export type Method = 'GET' | 'POST' | 'PATCH'

/** A request with the key. Its answer is what the document says, or the test fails. */
export async function ask(
  { app, key }: Pick<ApiParts, 'app' | 'key'>,
  method: Method,
  path: string,
  payload?: object | string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const url = `/api/v1${path}`
  const options: InjectOptions = { method, url, headers: { authorization: `Bearer ${key}`, ...headers } }
  const answer = await app.inject(payload === undefined ? options : { ...options, payload })
  assertAsDocumented(method, url, answer)
  return answer
}

export async function answered<T>(answer: Promise<Answer>, status = 200): Promise<T> {
  const { statusCode, body } = await answer
  assert.equal(statusCode, status, body)
  return JSON.parse(body) as T
}

/** Registers a device and enrols it; returns the serial number of its certificate. */
export async function enrolled(api: ApiParts, id: string): Promise<string> {
  const { enrolment } = await answered<BootstrapView>(ask(api, 'POST', '/devices', { id }), 201)
  const { certificateRequest } = deviceRequest(id)
  return (await enrol(api.hub, { tokenText: new Secret(enrolment.token), claimedId: id, certificateRequest }))
    .serialNumber
}

/** Of any route of the API and of EST: status, body and refusals stand in its operation. */
export function assertAsDocumented(method: Method, url: string, answer: Answer): void {
  const operation = operationAt(method, url)
  const { statusCode, headers, body } = answer
  if (statusCode >= 400 || String(headers['content-type']).startsWith('application/problem+json')) {
    const { code } = problemView.parse(JSON.parse(body))
    const general = ['not-found', 'method-not-allowed', 'key-missing', 'key-invalid', 'rate-limited']
    const known = operation === undefined ? general : failuresOf(operation)
    assert.ok(
      (known as readonly string[]).includes(code),
      `${operation?.id} does not say that it answers ${code}: ${body}`,
    )
    return
  }
  assert.ok(operation !== undefined, `${method} ${url} is answered ${statusCode} and stands nowhere`)
  if (statusCode === 304) {
    assert.ok(operation.tagged && method === 'GET' && body === '', operation.id)
    return
  }
  assert.equal(statusCode, operation.answer.status, operation.id)
  assert.equal(headers.etag !== undefined, operation.tagged, `${operation.id} has ${headers.etag}`)
  if (operation.answer.kind === 'text') return
  assert.match(String(headers['content-type']), /^application\/json(;|$)/)
  const value: unknown = JSON.parse(body)
  // The schema leaves out what it does not know, so what it leaves must be all there is.
  assert.deepEqual(operation.answer.schema.parse(value), value, operation.id)
}

function operationAt(method: Method, url: string): Operation | undefined {
  const path = url.split('?')[0] ?? ''
  const matching = [...apiOperations, ...enrolmentOperations].filter((operation) => {
    const pattern = operation.path.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{\w+\}/g, '[^/]+')
    return operation.method === method && new RegExp(`^${pattern}$`).test(path)
  })
  // `/devices/import` is no device.
  return matching.find((operation) => !operation.path.includes('{')) ?? matching[0]
}

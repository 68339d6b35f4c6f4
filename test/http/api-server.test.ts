/** The admin API over injected requests: who may ask, what is refused by name, and how lists are walked. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { FastifyInstance, InjectOptions } from 'fastify'
import {
  type AttemptView,
  type BootstrapView,
  bootstrapView,
  type DeviceChangeView,
  type DeviceDetailView,
  type DeviceView,
  deviceChangeView,
  deviceDetailView,
  type HubView,
  type PageView,
} from '../../src/api-schema/views.ts'
import { parseBootstrap } from '../../src/core/identity/bootstrap.ts'
import { limits } from '../../src/core/limits.ts'
import { Secret } from '../../src/core/secret.ts'
import { encodePem } from '../../src/core/x509/pem.ts'
import { apiServer } from '../../src/http/api/api-server.ts'
import { createApiKey } from '../../src/hub/api-keys.ts'
import { enrol } from '../../src/hub/enrol.ts'
import { FailureLimiter } from '../../src/hub/failure-limiter.ts'
import type { NewAttempt } from '../../src/hub/ports/attempts.ts'
import { deviceRequest, type HubParts, hubParts, noonMs } from '../support/hub-parts.ts'
import { type Answer, assertProblem } from './problem.ts'

interface ApiParts {
  readonly hub: HubParts
  readonly app: FastifyInstance
  readonly key: string
  /** How often attempts that wait were asked to be written. */
  flushes(): number
}

async function apiParts(t: { after(step: () => unknown): void }): Promise<ApiParts> {
  const hub = await hubParts(t)
  let flushes = 0
  const describeHub = (): HubView => ({
    version: '0.0.0',
    realm: hub.realm,
    publicName: 'hub.plant.example',
    mqtt: { host: '0.0.0.0', port: 8883 },
    https: { host: '0.0.0.0', port: 8443 },
    http: { host: '0.0.0.0', port: 8080 },
    rootFingerprint: hub.authorities.root.fingerprint,
    ca: encodePem('CERTIFICATE', hub.authorities.root.certificate),
    sessions: 0,
    upstream: { kind: 'embedded', available: true },
  })
  const app = apiServer({
    hub,
    limiter: new FailureLimiter(hub.clock),
    log: hub.log,
    flushAttempts: async () => {
      flushes += 1
    },
    describeHub,
  })
  t.after(() => app.close())
  return { hub, app, key: (await createApiKey(hub, 'test')).reveal(), flushes: () => flushes }
}

/** A request with the key. */
function ask({ app, key }: ApiParts, method: 'GET' | 'POST', path: string, payload?: object): Promise<Answer> {
  const options: InjectOptions = { method, url: `/api/v1${path}`, headers: { authorization: `Bearer ${key}` } }
  return app.inject(payload === undefined ? options : { ...options, payload })
}

async function answered<T>(answer: Promise<Answer>, status = 200): Promise<T> {
  const { statusCode, body } = await answer
  assert.equal(statusCode, status, body)
  return JSON.parse(body) as T
}

/** Registers a device and enrols it; returns the serial number of its certificate. */
async function enrolled(api: ApiParts, id: string): Promise<string> {
  const { bootstrap } = await answered<BootstrapView>(ask(api, 'POST', '/devices', { id }), 201)
  const { token } = parseBootstrap(new Secret(bootstrap))
  const { certificateRequest } = deviceRequest(id)
  return (await enrol(api.hub, { tokenText: token, claimedId: id, certificateRequest })).serialNumber
}

describe('a request', () => {
  test('without a key is told how to send one, on every path', async (t) => {
    const { app } = await apiParts(t)
    for (const url of ['/api/v1/hub', '/api/v1/devices', '/api/v1/nothing', '/']) {
      const answer = await app.inject(url)
      assertProblem(answer, 401, 'key-missing')
      assert.equal(answer.headers['www-authenticate'], 'Bearer realm="handfast"')
    }
  })

  test('with a wrong key is refused', async (t) => {
    const { app, key } = await apiParts(t)
    for (const wrong of [
      'nonsense',
      `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`,
      `${key.startsWith('f') ? 'e' : 'f'}${key.slice(1)}`,
      key.slice(0, 16),
    ]) {
      const answer = await app.inject({ url: '/api/v1/hub', headers: { authorization: `Bearer ${wrong}` } })
      assertProblem(answer, 401, 'key-invalid')
      assert.ok(!answer.body.includes(wrong))
    }
    const basic = await app.inject({ url: '/api/v1/hub', headers: { authorization: `Basic ${key}` } })
    assertProblem(basic, 401, 'key-missing')
  })

  test('is answered 429 after too many wrong keys until a minute has passed, and the right key always passes', async (t) => {
    const api = await apiParts(t)
    const wrong = { url: '/api/v1/hub', headers: { authorization: 'Bearer nonsense' } }
    for (let failures = 0; failures < limits.authFailuresPerMinuteMax; failures += 1) {
      assertProblem(await api.app.inject(wrong), 401, 'key-invalid')
    }
    const answer = await api.app.inject(wrong)
    assertProblem(answer, 429, 'rate-limited')
    assert.equal(answer.headers['retry-after'], '60')
    assert.equal((await ask(api, 'GET', '/hub')).statusCode, 200)
    api.hub.clock.advance(60_000)
    assertProblem(await api.app.inject(wrong), 401, 'key-invalid')
  })

  test('without a key does not count against the address, so that a browser cannot lock an operator out', async (t) => {
    const api = await apiParts(t)
    for (let requests = 0; requests <= limits.authFailuresPerMinuteMax; requests += 1) await api.app.inject('/')
    assert.equal((await ask(api, 'GET', '/hub')).statusCode, 200)
  })

  test('to a path that does not exist is a problem, also when the path is malformed', async (t) => {
    const api = await apiParts(t)
    assertProblem(await ask(api, 'GET', '/devices/pump-7/tokens'), 404, 'not-found')
    assertProblem(await ask(api, 'GET', '/nothing'), 404, 'not-found')
    assertProblem(await ask(api, 'GET', '/devices/%zz'), 400, 'request-invalid')
  })

  test('with a body that is no JSON, or too much of it, is refused', async (t) => {
    const { app, key } = await apiParts(t)
    const post = (payload: string, type = 'application/json') =>
      app.inject({
        method: 'POST',
        url: '/api/v1/devices',
        headers: { authorization: `Bearer ${key}`, 'content-type': type },
        payload,
      })
    for (const payload of ['{', '', 'null', '[]', '"pump-7"', '{"__proto__":{"id":"x"},"id":"x"}']) {
      assertProblem(await post(payload), 400, 'request-invalid')
    }
    assertProblem(await post('id: pump-7', 'application/yaml'), 400, 'request-invalid')
    assertProblem(await post('{"id":"pump-7"}', 'text/plain'), 400, 'request-invalid')
    assertProblem(await post(`"${'x'.repeat(limits.apiBodyBytesMax)}"`), 413, 'request-too-large')
  })
})

describe('registering a device', () => {
  test('answers with a bootstrap string that names hub, root, id and token', async (t) => {
    const api = await apiParts(t)
    const body = { id: 'pump-7', group: 'line-2', attributes: { site: 'north' }, tokenLifetimeSec: 3_600 }
    const view = bootstrapView.strict().parse(await answered(ask(api, 'POST', '/devices', body), 201))
    assert.equal(view.device.group, 'line-2')
    assert.deepEqual(view.device.attributes, { site: 'north' })
    assert.equal(view.tokenExpiresAt, new Date(noonMs + 3_600_000).toISOString())
    const { token, ...rest } = parseBootstrap(new Secret(view.bootstrap))
    assert.deepEqual(rest, {
      host: 'hub.plant.example',
      httpsPort: 8443,
      mqttPort: 8883,
      id: 'pump-7',
      rootFingerprint: api.hub.authorities.root.fingerprint,
    })
    const { certificateRequest } = deviceRequest('pump-7')
    await enrol(api.hub, { tokenText: token, claimedId: '', certificateRequest })
  })

  test('refuses an unknown field, and a wrong one, each by its name', async (t) => {
    const api = await apiParts(t)
    const cases: readonly [body: object, named: RegExp][] = [
      [{ id: 'pump-7', gruop: 'x' }, /"gruop"/],
      [{}, /"id"/],
      [{ id: 7 }, /"id"/],
      [{ id: 'pump-7', group: 7 }, /"group"/],
      [{ id: 'pump-7', attributes: { site: 7 } }, /"attributes\.site"/],
      [{ id: 'pump-7', tokenLifetimeSec: 59 }, /"tokenlifetimesec"/i],
      [{ id: 'pump-7', tokenLifetimeSec: 60.5 }, /"tokenlifetimesec"/i],
      [{ id: 'pump-7', tokenLifetimeSec: 31 * 86_400 }, /"tokenlifetimesec"/i],
    ]
    for (const [body, named] of cases) {
      assert.match(assertProblem(await ask(api, 'POST', '/devices', body), 400, 'request-invalid').detail, named)
    }
    assert.deepEqual((await answered<PageView<DeviceView>>(ask(api, 'GET', '/devices'))).items, [])
  })

  test('names every fault of a request at once', async (t) => {
    const api = await apiParts(t)
    const body = { id: 7, tokenLifetimeSec: 'x', colour: 'red' }
    const { detail } = assertProblem(await ask(api, 'POST', '/devices', body), 400, 'request-invalid')
    for (const name of ['"id"', '"tokenLifetimeSec"', '"colour"']) assert.ok(detail.includes(name), detail)
  })

  test('refuses an id that is not well formed, taken, or retired', async (t) => {
    const api = await apiParts(t)
    for (const id of ['', 'a/b', 'a+', '-a', 'é', 'a'.repeat(65)]) {
      assertProblem(await ask(api, 'POST', '/devices', { id }), 400, 'identity-id-invalid')
    }
    await answered(ask(api, 'POST', '/devices', { id: 'pump-7' }), 201)
    assertProblem(await ask(api, 'POST', '/devices', { id: 'pump-7' }), 409, 'identity-exists')
    await answered(ask(api, 'POST', '/devices/pump-7/retire'))
    assertProblem(await ask(api, 'POST', '/devices', { id: 'pump-7' }), 409, 'identity-exists')
  })
})

describe('a list of devices', () => {
  test('is walked page by page with `after`, and each device comes once', async (t) => {
    const api = await apiParts(t)
    const ids = ['A', 'Z', 'a', 'b-2', 'b.1', 'b_3', 'c']
    for (const id of ids) await answered(ask(api, 'POST', '/devices', { id }), 201)
    const seen: string[] = []
    let after: string | null = null
    do {
      const query: string = after === null ? '' : `&after=${encodeURIComponent(after)}`
      const page: PageView<DeviceView> = await answered(ask(api, 'GET', `/devices?limit=3${query}`))
      assert.ok(page.items.length <= 3)
      seen.push(...page.items.map(({ id }) => id))
      after = page.next
    } while (after !== null)
    assert.deepEqual(seen.toSorted(), ids.toSorted())
    assert.equal(new Set(seen).size, ids.length)
  })

  test('holds only the state and the group that are asked for', async (t) => {
    const api = await apiParts(t)
    await answered(ask(api, 'POST', '/devices', { id: 'a', group: 'one' }), 201)
    await answered(ask(api, 'POST', '/devices', { id: 'b', group: 'two' }), 201)
    await answered(ask(api, 'POST', '/devices', { id: 'c', group: 'two' }), 201)
    await answered(ask(api, 'POST', '/devices/c/disable'))
    const idsOf = async (query: string) =>
      (await answered<PageView<DeviceView>>(ask(api, 'GET', `/devices?${query}`))).items.map(({ id }) => id)
    assert.deepEqual(await idsOf('group=two'), ['b', 'c'])
    assert.deepEqual(await idsOf('state=disabled'), ['c'])
    assert.deepEqual(await idsOf('group=two&state=active'), ['b'])
    assert.deepEqual(await idsOf('group=none'), [])
  })

  test('refuses a query it does not know, by name', async (t) => {
    const api = await apiParts(t)
    for (const [query, named] of [
      ['limit=0', /"limit"/],
      [`limit=${limits.pageRowsMax + 1}`, /"limit"/],
      ['limit=ten', /"limit"/],
      ['state=broken', /"state"/],
      ['page=2', /"page"/],
      ['limit=1&limit=2', /"limit"/],
      [`after=${'x'.repeat(257)}`, /"after"/],
    ] as const) {
      const answer = await ask(api, 'GET', `/devices?${query}`)
      assert.match(assertProblem(answer, 400, 'request-invalid').detail, named)
    }
  })
})

describe('a device', () => {
  test('is shown with its certificates, newest first', async (t) => {
    const api = await apiParts(t)
    const first = await enrolled(api, 'pump-7')
    api.hub.clock.advance(1_000)
    const { bootstrap } = await answered<BootstrapView>(ask(api, 'POST', '/devices/pump-7/tokens', {}), 201)
    const { certificateRequest } = deviceRequest('pump-7')
    const tokenText = parseBootstrap(new Secret(bootstrap)).token
    const second = await enrol(api.hub, { tokenText, claimedId: '', certificateRequest })
    const view: DeviceDetailView = deviceDetailView
      .strict()
      .parse(await answered<DeviceDetailView>(ask(api, 'GET', '/devices/pump-7')))
    assert.deepEqual(
      view.credentials.map(({ serialNumber }) => serialNumber),
      [second.serialNumber, first],
    )
  })

  test('that does not exist is not found, and neither is the hub itself', async (t) => {
    const api = await apiParts(t)
    for (const [method, path] of [
      ['GET', '/devices/none'],
      ['POST', '/devices/none/tokens'],
      ['POST', '/devices/none/disable'],
      ['POST', '/devices/none/revoke'],
      ['GET', '/devices/hub'],
    ] as const) {
      assertProblem(await ask(api, method, path, method === 'POST' ? {} : undefined), 404, 'identity-not-found')
    }
    assertProblem(await ask(api, 'GET', '/devices/a%2Fb'), 400, 'identity-id-invalid')
  })

  test('is revoked with a reason, which ends its certificates and tokens; a second time changes nothing', async (t) => {
    const api = await apiParts(t)
    const serialNumber = await enrolled(api, 'pump-7')
    await answered(ask(api, 'POST', '/devices/pump-7/tokens'), 201)
    const revoke = () => ask(api, 'POST', '/devices/pump-7/revoke', { reason: 'superseded' })
    const change = deviceChangeView.strict().parse(await answered<DeviceChangeView>(revoke()))
    assert.deepEqual(change.revoked, [serialNumber])
    assert.equal(change.tokensEnded, 1)
    assert.equal(change.device.state, 'disabled')
    const again = await answered<DeviceChangeView>(revoke())
    assert.deepEqual([again.revoked, again.tokensEnded], [[], 0])
  })

  test('refuses a state it cannot have, an unknown reason and an unknown field', async (t) => {
    const api = await apiParts(t)
    await enrolled(api, 'pump-7')
    const wrong = await ask(api, 'POST', '/devices/pump-7/revoke', { reason: 'boredom' })
    assert.match(assertProblem(wrong, 400, 'request-invalid').detail, /"reason"/)
    const field = await ask(api, 'POST', '/devices/pump-7/disable', { until: 'tomorrow' })
    assert.match(assertProblem(field, 400, 'request-invalid').detail, /"until"/)
    await answered(ask(api, 'POST', '/devices/pump-7/retire'))
    assertProblem(await ask(api, 'POST', '/devices/pump-7/enable'), 409, 'transition-illegal')
    assertProblem(await ask(api, 'POST', '/devices/pump-7/tokens'), 403, 'identity-retired')
  })
})

describe('a certificate', () => {
  test('is revoked by its serial number as people paste it, and the device stays active', async (t) => {
    const api = await apiParts(t)
    const serialNumber = await enrolled(api, 'pump-7')
    const pasted = serialNumber.toUpperCase().replaceAll(/..(?=.)/g, '$&:')
    const change = await answered<DeviceChangeView>(ask(api, 'POST', `/credentials/${pasted}/revoke`, {}))
    assert.deepEqual(change.revoked, [serialNumber])
    assert.equal(change.device.state, 'active')
  })

  test('is not found by another serial number, and a bad one is refused', async (t) => {
    const api = await apiParts(t)
    assertProblem(await ask(api, 'POST', '/credentials/0badcafe/revoke'), 404, 'credential-not-found')
    for (const bad of ['xyz', 'abc', 'ab'.repeat(21), ':::', '12%2034']) {
      assertProblem(await ask(api, 'POST', `/credentials/${bad}/revoke`), 400, 'request-invalid')
    }
  })
})

describe('attempts', () => {
  const attempt = (code: NewAttempt['code'], identityId: string | null): NewAttempt => ({
    atMs: noonMs,
    listener: 'mqtt',
    address: '192.0.2.7',
    stage: 'certificate',
    outcome: code === null ? 'admitted' : 'refused',
    code,
    sentence: 'what happened',
    identityId,
    clientId: null,
    tlsVersion: null,
    mqttVersion: null,
    certificate: null,
  })
  const list = async (api: ApiParts, query: string) =>
    (await answered<PageView<AttemptView>>(ask(api, 'GET', `/attempts?${query}`))).items

  test('come newest first with number and cure of their failure, after those that wait are written', async (t) => {
    const api = await apiParts(t)
    await api.hub.store.write((tx) =>
      tx.attempts.insertAll([attempt(null, 'pump-7'), attempt('certificate-expired', 'pump-7')]),
    )
    const [newest, oldest] = await list(api, 'device=pump-7')
    assert.equal(newest?.failureId, 'HF-2106')
    assert.match(newest?.cure ?? '', /enrol the device again/)
    assert.equal(oldest?.outcome, 'admitted')
    assert.equal(oldest?.cure, null)
    assert.equal(api.flushes(), 1)
  })

  test('are followed with `order=oldest` and `after`, and none is missed or repeated', async (t) => {
    const api = await apiParts(t)
    const write = (count: number) =>
      api.hub.store.write((tx) => tx.attempts.insertAll(Array.from({ length: count }, () => attempt(null, null))))
    await write(3)
    const first = await list(api, 'order=oldest&limit=2')
    const second = await list(api, `order=oldest&after=${first.at(-1)?.number}`)
    await write(1)
    const third = await list(api, `order=oldest&after=${second.at(-1)?.number}`)
    assert.deepEqual(
      [first, second, third].map((items) => items.map(({ number }) => number)),
      [[1, 2], [3], [4]],
    )
  })

  test('refuse a failure that does not exist and a place in the list that is none', async (t) => {
    const api = await apiParts(t)
    assertProblem(await ask(api, 'GET', '/attempts?code=bad-luck'), 400, 'request-invalid')
    assertProblem(await ask(api, 'GET', '/attempts?outcome=maybe'), 400, 'request-invalid')
    assertProblem(await ask(api, 'GET', '/attempts?after=yesterday'), 400, 'request-invalid')
    assertProblem(await ask(api, 'GET', '/audit?after=-1.5'), 400, 'request-invalid')
  })
})

test('the audit log names the key behind each act', async (t) => {
  const api = await apiParts(t)
  await answered(ask(api, 'POST', '/devices', { id: 'pump-7' }), 201)
  const { items } = await answered<PageView<{ actor: string; act: string }>>(ask(api, 'GET', '/audit?limit=2'))
  assert.deepEqual(
    items.map(({ actor, act }) => [actor, act]),
    [
      ['key:test', 'token.create'],
      ['key:test', 'identity.register'],
    ],
  )
})

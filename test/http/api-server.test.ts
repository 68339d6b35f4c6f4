/** The admin API over injected requests: who may ask, what is refused by name, and how lists are walked. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type {
  AttemptView,
  BootstrapView,
  DeviceChangeView,
  DeviceDetailView,
  DeviceView,
  PageView,
} from '../../src/api-schema/views.ts'
import { parseBootstrap } from '../../src/core/identity/bootstrap.ts'
import { limits } from '../../src/core/limits.ts'
import { Secret } from '../../src/core/secret.ts'
import { enrol } from '../../src/hub/enrol.ts'
import type { NewAttempt } from '../../src/hub/ports/attempts.ts'
import { deviceRequest, noonMs } from '../support/hub-parts.ts'
import { type ApiParts, answered, apiParts, ask, enrolled } from './api-parts.ts'
import { assertProblem } from './problem.ts'

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
    assert.equal(answer.headers['retry-after'], '2')
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
    assertProblem(await post('id: pump-7', 'application/yaml'), 415, 'media-type-unsupported')
    assertProblem(await post('{"id":"pump-7"}', 'text/plain'), 415, 'media-type-unsupported')
    assertProblem(await post('{"id":"pump-7"}', 'application/merge-patch+json'), 415, 'media-type-unsupported')
    assertProblem(await post(`"${'x'.repeat(limits.apiBodyBytesMax)}"`), 413, 'request-too-large')
  })
})

describe('registering a device', () => {
  test('answers with a bootstrap string that names hub, root, id and token', async (t) => {
    const api = await apiParts(t)
    const body = { id: 'pump-7', group: 'line-2', attributes: { site: 'north' }, tokenLifetimeSec: 3_600 }
    const view = await answered<BootstrapView>(ask(api, 'POST', '/devices', body), 201)
    assert.equal(view.device.group, 'line-2')
    assert.deepEqual(view.device.attributes, { site: 'north' })
    assert.equal(view.tokenExpiresAt, new Date(noonMs + 3_600_000).toISOString())
    const { token, ...rest } = parseBootstrap(new Secret(view.bootstrap))
    const rootFingerprint = api.hub.authorities.root().fingerprint
    const parts = { host: 'hub.plant.example', httpsPort: 8443, mqttPort: 8883, rootFingerprint }
    assert.deepEqual(rest, { id: 'pump-7', ...parts })
    const estUrl = 'https://hub.plant.example:8443/.well-known/est'
    assert.deepEqual(view.enrolment, { ...parts, token: token.reveal(), estUrl }, 'nobody has to take the string apart')
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
    await answered(ask(api, 'POST', '/devices', { id: 'b2', attributes: { site: 'Köln 2', line: '4' } }), 201)
    assert.deepEqual(await idsOf('idPrefix=b'), ['b', 'b2'])
    assert.deepEqual(await idsOf('attr.site=K%C3%B6ln%202'), ['b2'])
    assert.deepEqual(await idsOf('attr.site=K%C3%B6ln+2&attr.line=4&idPrefix=b&state=active'), ['b2'])
    assert.deepEqual(await idsOf('attr.line=5'), [])
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
      ['idPrefix=a%2Fb', /"idPrefix"/],
      ['attr=x', /"attr"/],
      ['attr.a%20b=x', /"attr\.a b"/],
      ['attr.site=x&attr.site=y', /"attr\.site"/],
      ['attr.a=1&attr.b=1&attr.c=1&attr.d=1&attr.e=1', /more than 4/],
      ['site.attr=x', /"site\.attr"/],
      ['group=%00', /"group"/],
      ['__proto__=x', /"__proto__"/],
      ['attr.__proto__=x', /"attr\.__proto__"/],
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
    const view: DeviceDetailView = await answered<DeviceDetailView>(ask(api, 'GET', '/devices/pump-7'))
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
    const change = await answered<DeviceChangeView>(revoke())
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

  test('are followed with `order=oldest` and `since`, and none is missed or repeated', async (t) => {
    const api = await apiParts(t)
    const write = (count: number) =>
      api.hub.store.write((tx) => tx.attempts.insertAll(Array.from({ length: count }, () => attempt(null, null))))
    await write(3)
    const first = await list(api, 'order=oldest&limit=2')
    const second = await list(api, `order=oldest&since=${first.at(-1)?.number}`)
    await write(1)
    const third = await list(api, `order=oldest&since=${second.at(-1)?.number}`)
    assert.deepEqual(
      [first, second, third].map((items) => items.map(({ number }) => number)),
      [[1, 2], [3], [4]],
    )
  })

  test('refuse a failure that does not exist and a place in the list that is none', async (t) => {
    const api = await apiParts(t)
    assertProblem(await ask(api, 'GET', '/attempts?code=bad-luck'), 400, 'request-invalid')
    assertProblem(await ask(api, 'GET', '/attempts?outcome=maybe'), 400, 'request-invalid')
    assertProblem(await ask(api, 'GET', '/attempts?device=%00'), 400, 'request-invalid')
    for (const list of ['attempts', 'audit', 'devices']) {
      assertProblem(await ask(api, 'GET', `/${list}?after=yesterday`), 400, 'cursor-invalid')
    }
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

import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openHub } from '../../src/cli/api-client.ts'
import { HubError } from '../../src/core/errors.ts'
import type { FailureName } from '../../src/core/failure/catalogue.ts'
import { EstServer, honest, OpensslAuthority } from '../device/est-authority.ts'
import { needs } from '../support/programs.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { type ApiAnswer, type ApiRequest, FakeHub, lost, problem } from './fake-hub.ts'

async function hubAt(context: TestContext, answer: (request: ApiRequest) => ApiAnswer): Promise<FakeHub> {
  const hub = await FakeHub.start(temporaryFolder(context), answer)
  context.after(() => hub.stop())
  return hub
}

function where(data: string | undefined, env: Readonly<Record<string, string>> = {}) {
  return { data, env, directory: '/' }
}

async function assertRefused(work: () => unknown, code: FailureName): Promise<HubError> {
  try {
    await work()
  } catch (error) {
    assert.ok(error instanceof HubError, String(error))
    assert.equal(error.code, code, error.message)
    return error
  }
  return assert.fail('it was not refused')
}

test('finds the socket and the key in the data directory', async (context) => {
  const hub = await hubAt(context, () => ({ status: 200, body: { items: [], next: null } }))
  const answer = await openHub(where(hub.data)).get('/devices', { state: 'active', group: undefined, limit: 5 })
  assert.deepEqual(answer, { items: [], next: null })
  assert.deepEqual(hub.requests, [
    { method: 'GET', url: '/api/v1/devices?state=active&limit=5', authorization: 'Bearer the-key', body: undefined },
  ])
})

test('HANDFAST_DATA names the data directory where no flag does', async (context) => {
  const hub = await hubAt(context, () => ({ status: 201, body: { ok: true } }))
  await openHub(where(undefined, { HANDFAST_DATA: hub.data })).post('/devices', { id: 'pump-7' })
  assert.deepEqual(hub.requests[0]?.body, { id: 'pump-7' })
})

test('an act has a key of its own, and is asked for again with it when the connection was lost', async (context) => {
  let losses = 1
  const hub = await hubAt(context, () => (losses-- > 0 ? lost : { status: 201, body: { ok: true } }))
  const api = openHub(where(hub.data))
  assert.deepEqual(await api.post('/devices', { id: 'pump-7' }), { ok: true })
  await api.patch('/devices/pump-7', { group: 'x' }, '"1"')
  const [first, again, edit] = hub.intents.map(({ idempotencyKey }) => idempotencyKey)
  assert.match(first ?? '', /^[0-9a-f-]{36}$/)
  assert.equal(again, first)
  assert.ok(edit !== undefined && edit !== first)
  assert.deepEqual(hub.requests[1], hub.requests[0])
  assert.equal(hub.intents[2]?.ifMatch, '"1"')
})

test('an act is asked for again once, and only where nobody knows whether it was done', async (context) => {
  const gone = await hubAt(context, () => lost)
  await assertRefused(() => openHub(where(gone.data)).post('/devices', {}), 'hub-unreachable')
  assert.equal(gone.requests.length, 2)
  const refusing = await hubAt(context, () => problem(503, 'store-unavailable', 'busy', 'wait'))
  await assertRefused(() => openHub(where(refusing.data)).post('/devices', {}), 'store-unavailable')
  assert.equal(refusing.requests.length, 1)
  const reading = await hubAt(context, () => lost)
  await assertRefused(() => openHub(where(reading.data)).get('/hub'), 'hub-unreachable')
  assert.equal(reading.requests.length, 1)
})

test('a refusal keeps the code, sentence and hint of the hub', async (context) => {
  const hub = await hubAt(context, () => problem(409, 'identity-exists', 'pump-7 exists', 'choose another id'))
  const error = await assertRefused(() => openHub(where(hub.data)).post('/devices', {}), 'identity-exists')
  assert.equal(error.message, 'pump-7 exists')
  assert.equal(error.hint, 'choose another id')
})

test('a fault inside the hub names the request as the log of the hub does', async (context) => {
  const { status, body } = problem(500, 'internal', 'something went wrong inside the hub', 'see the log of the hub')
  const instance = 'urn:handfast:request:1f0c3a5e9b7d2846'
  const hub = await hubAt(context, () => ({ status, body: { ...(body as object), instance } }))
  const error = await assertRefused(() => openHub(where(hub.data)).get('/hub'), 'internal')
  assert.equal(error.message, 'something went wrong inside the hub (request 1f0c3a5e9b7d2846)')
})

test('a code of a newer hub is repeated, not lost', async (context) => {
  const hub = await hubAt(context, () => problem(418, 'teapot', 'short and stout', 'tip it over'))
  const error = await assertRefused(() => openHub(where(hub.data)).get('/hub'), 'hub-answer-unexpected')
  assert.match(error.message, /status 418: short and stout \(HF-1 teapot\)/)
})

test('no data directory, no running hub and a hub that was killed are all no hub', async (context) => {
  const folder = temporaryFolder(context)
  await assertRefused(() => openHub(where(join(folder, 'missing'))), 'hub-not-found')
  await assertRefused(() => openHub(where(folder)), 'hub-not-found')
  const hub = await hubAt(context, () => ({ status: 200, body: {} }))
  hub.stop()
  await assertRefused(() => openHub(where(hub.data)).get('/hub'), 'hub-not-found')
})

test('a data directory of another user is explained', {
  skip: process.getuid?.() === 0 ? 'root reads everything' : false,
}, async (context) => {
  const hub = await hubAt(context, () => ({ status: 200, body: {} }))
  chmodSync(join(hub.data, 'admin.key'), 0o000)
  const error = await assertRefused(() => openHub(where(hub.data)), 'data-directory-unusable')
  assert.match(error.hint, /as the user that runs the hub/)
})

test('a file that is no key does not go into a header', async (context) => {
  const folder = temporaryFolder(context)
  mkdirSync(join(folder, 'run'))
  writeFileSync(join(folder, 'run', 'api.json'), '{"socket":"/nowhere"}')
  writeFileSync(join(folder, 'admin.key'), 'two\nlines\n')
  await assertRefused(() => openHub(where(folder)), 'key-invalid')
})

test('handfast.yaml names the data directory for every command, as it does for the hub', async (context) => {
  const hub = await hubAt(context, () => ({ status: 200, body: { ok: true } }))
  const directory = temporaryFolder(context)
  writeFileSync(join(directory, 'handfast.yaml'), `data: ${hub.data}\n`)
  await openHub({ data: undefined, env: {}, directory }).get('/hub')
  assert.equal(hub.requests.length, 1)
  writeFileSync(join(directory, 'other.yaml'), 'daat: x\n')
  const env = { HANDFAST_CONFIG: 'other.yaml' }
  await assertRefused(() => openHub({ data: undefined, env, directory }), 'config-invalid')
})

test('a mistyped variable is found by every command', async () => {
  const env = { HANDFAST_URLS: 'https://hub.example', HANDFAST_KEY: 'k' }
  await assertRefused(() => openHub(where(undefined, env)), 'config-invalid')
})

test('a hint of the hub names the device that was asked for', async (context) => {
  const hub = await hubAt(context, () =>
    problem(409, 'identity-exists', 'it exists', 'run `handfast device token <id>`'),
  )
  const named = await assertRefused(
    () => openHub(where(hub.data)).post('/devices', { id: 'pump-7' }),
    'identity-exists',
  )
  assert.match(named.hint, /handfast device token pump-7`/)
  const inPath = await assertRefused(() => openHub(where(hub.data)).get('/devices/pump-8'), 'identity-exists')
  assert.match(inPath.hint, /handfast device token pump-8`/)
})

test('HANDFAST_URL is quoted as it was given, and the hint is what to write', async () => {
  const hints = {
    'vm:8443': 'write https://vm:8443',
    vm: 'write https://vm:<port>, with the port of --api-listen',
    'http://vm:9443': 'write https://vm:9443',
    'https://vm:9443/api/v1': 'write https://vm:9443',
  }
  for (const [url, hint] of Object.entries(hints)) {
    const env = { HANDFAST_URL: url, HANDFAST_KEY: 'k' }
    const error = await assertRefused(() => openHub(where(undefined, env)), 'usage')
    assert.ok(error.message.includes(JSON.stringify(url)), error.message)
    assert.equal(error.hint, hint)
  }
  const secret = { HANDFAST_URL: 'https://me:hunter2@vm', HANDFAST_KEY: 'k' }
  const { message, hint } = await assertRefused(() => openHub(where(undefined, secret)), 'usage')
  assert.doesNotMatch(message + hint, /hunter2/)
})

test('a file of HANDFAST_CA without a certificate is named', async (context) => {
  const ca = join(temporaryFolder(context), 'ca.pem')
  writeFileSync(ca, 'nothing\n')
  const env = { HANDFAST_URL: 'https://hub.example', HANDFAST_KEY: 'k', HANDFAST_CA: ca }
  const { message } = await assertRefused(() => openHub(where(undefined, env)), 'usage')
  assert.ok(message.includes(ca))
})

test('a hub that no trusted certificate vouches for is refused, with the file', needs('openssl'), async (context) => {
  const authority = new OpensslAuthority()
  const stranger = new OpensslAuthority()
  context.after(() => {
    authority.remove()
    stranger.remove()
  })
  const server = await EstServer.start(authority.endEntity('hub', 'IP:127.0.0.1'), honest(authority))
  context.after(() => server.stop())
  const ca = join(temporaryFolder(context), 'ca.pem')
  writeFileSync(ca, stranger.read('root.pem'))
  const env = { HANDFAST_URL: `https://127.0.0.1:${server.port}`, HANDFAST_KEY: 'k', HANDFAST_CA: ca }
  const { message } = await assertRefused(() => openHub(where(undefined, env)).get('/hub'), 'enrolment-tls-untrusted')
  assert.ok(message.includes(ca))
})

test('HANDFAST_URL wants a key, and TLS unless it stays on this machine', async () => {
  const url = 'https://hub.example:9443'
  await assertRefused(() => openHub(where(undefined, { HANDFAST_URL: url })), 'key-missing')
  await assertRefused(() => openHub(where(undefined, { HANDFAST_URL: 'hub', HANDFAST_KEY: 'k' })), 'usage')
  const plain = { HANDFAST_URL: 'http://hub.example', HANDFAST_KEY: 'k' }
  await assertRefused(() => openHub(where(undefined, plain)), 'usage')
  assert.equal(openHub(where(undefined, { HANDFAST_URL: url, HANDFAST_KEY: 'k' })).place, url)
})

test('a remote hub that is not there is said to be unreachable', async () => {
  const env = { HANDFAST_URL: 'https://127.0.0.1:1', HANDFAST_KEY: 'k' }
  const error = await assertRefused(() => openHub(where(undefined, env)).get('/hub'), 'hub-unreachable')
  assert.match(error.message, /ECONNREFUSED/)
})

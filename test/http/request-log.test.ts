/** What the log says about requests and acts, and how an answer leads to its lines. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store } from '../../src/hub/ports/store.ts'
import type { LogBook } from '../support/hub-parts.ts'
import { type ApiParts, apiParts, ask } from './api-parts.ts'
import { assertProblem } from './problem.ts'

function lines(log: LogBook, message: string): readonly Readonly<Record<string, unknown>>[] {
  return log.lines.filter((line) => line.message === message).map(({ fields }) => fields)
}

/** The lines about acts, without the ids of their requests. */
function acts({ hub }: ApiParts): readonly unknown[] {
  return lines(hub.log, 'admin act').map(({ request: _request, ...rest }) => rest)
}

test('every request has an id of its own, which its problem names as the log does', async (t) => {
  const api = await apiParts(t)
  const first = assertProblem(await ask(api, 'GET', '/devices/nobody'), 404, 'identity-not-found')
  const second = assertProblem(await ask(api, 'GET', '/devices/nobody'), 404, 'identity-not-found')
  assert.notEqual(first.instance, second.instance)
  const ids = [first, second].map(({ instance }) => instance.replace('urn:handfast:request:', ''))
  for (const id of ids) assert.match(id, /^[0-9a-f]{16}$/)
  assert.deepEqual(
    lines(api.hub.log, 'a request was refused').map(({ request, code }) => [request, code]),
    ids.map((id) => [id, 'identity-not-found']),
  )
  assert.deepEqual(
    lines(api.hub.log, 'request').map(({ request, method, route, status }) => [request, method, route, status]),
    ids.map((id) => [id, 'GET', '/api/v1/devices/:id', 404]),
  )
})

test('a client does not choose the id of its request', async (t) => {
  const { app, hub } = await apiParts(t)
  const answer = await app.inject({ url: '/api/v1/hub', headers: { 'request-id': 'mine', 'x-request-id': 'mine' } })
  assert.ok(!assertProblem(answer, 401, 'key-missing').instance.includes('mine'))
  assert.ok(!JSON.stringify(hub.log.lines).includes('mine'))
})

test('what goes wrong inside the hub is found in the log by what the answer names', async (t) => {
  const api = await apiParts(t)
  const broken = new Error('the cause, for the log alone')
  Object.assign(api.hub.store, { audit: { list: () => Promise.reject(broken) } as unknown as Store['audit'] })
  const { instance, detail } = assertProblem(await ask(api, 'GET', '/audit'), 500, 'internal')
  const [line] = lines(api.hub.log, 'a request failed unexpectedly')
  assert.equal(`urn:handfast:request:${line?.request}`, instance)
  assert.equal(line?.error, broken)
  assert.ok(!detail.includes('cause'))
})

test('each act of an operator is one line: what, by whom, to what', async (t) => {
  const api = await apiParts(t)
  await ask(api, 'POST', '/devices', { id: 'pump-7' })
  await ask(api, 'POST', '/devices/pump-7/disable', {})
  await ask(api, 'POST', '/devices/pump-7/revoke', { reason: 'keyCompromise' })
  assert.deepEqual(acts(api), [
    { act: 'registerDevice', actor: 'key:test', subject: 'pump-7', replayed: false },
    { act: 'disableDevice', actor: 'key:test', subject: 'pump-7', replayed: false },
    { act: 'revokeDevice', actor: 'key:test', subject: 'pump-7', replayed: false },
  ])
  assert.equal(new Set(lines(api.hub.log, 'admin act').map(({ request }) => request)).size, 3)
  assert.ok(api.hub.log.lines.every(({ level, message }) => message !== 'admin act' || level === 'info'))
})

test('what is only read, and what is refused, is no act', async (t) => {
  const api = await apiParts(t)
  await ask(api, 'GET', '/devices')
  await ask(api, 'POST', '/devices', { id: 'a b' })
  await ask(api, 'POST', '/devices/nobody/disable', {})
  await api.app.inject({ method: 'POST', url: '/api/v1/devices', payload: { id: 'pump-7' } })
  assert.deepEqual(acts(api), [])
})

test('an answer that is given a second time is told as such', async (t) => {
  const api = await apiParts(t)
  const headers = { 'idempotency-key': '4c1b7e0a' }
  await ask(api, 'POST', '/devices', { id: 'pump-7' }, headers)
  await ask(api, 'POST', '/devices', { id: 'pump-7' }, headers)
  assert.deepEqual(acts(api), [
    { act: 'registerDevice', actor: 'key:test', subject: 'pump-7', replayed: false },
    { act: 'registerDevice', actor: 'key:test', subject: 'pump-7', replayed: true },
  ])
})

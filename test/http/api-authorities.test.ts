import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import type {
  AuthorityDetailView,
  AuthorityListView,
  RollOverListView,
  RollOverView,
} from '../../src/api-schema/authority-views.ts'
import { answered, apiParts, ask, enrolled } from './api-parts.ts'
import { assertProblem } from './problem.ts'

test('authorities are listed and shown with their certificates', async (t) => {
  const api = await apiParts(t)
  const { items } = await answered<AuthorityListView>(ask(api, 'GET', '/authorities'))
  const [root, issuing] = items
  assert.deepEqual(
    items.map(({ role, state, keyPlace }) => [role, state, keyPlace]),
    [
      ['root', 'active', 'hub'],
      ['issuing', 'active', 'hub'],
    ],
  )
  const shown = await answered<AuthorityDetailView>(ask(api, 'GET', `/authorities/${issuing?.id}`))
  assert.equal(shown.authority.parentId, root?.id)
  const certificate = new X509Certificate(shown.certificate)
  assert.equal(certificate.fingerprint256.replaceAll(':', '').toLowerCase(), issuing?.fingerprint)
  assert.deepEqual(shown.path, [shown.certificate])
  assertProblem(await ask(api, 'GET', '/authorities/none'), 404, 'not-found')
})

test('another chain is made once, with keys of its kind', async (t) => {
  const api = await apiParts(t)
  const order = { chain: 'rsa', keyType: 'RSA-2048' }
  const { items } = await answered<AuthorityListView>(ask(api, 'POST', '/authorities', order), 201)
  assert.deepEqual(
    items.map(({ role, chain, keyType }) => [role, chain, keyType]),
    [
      ['root', 'rsa', 'RSA-2048'],
      ['issuing', 'rsa', 'RSA-2048'],
    ],
  )
  assertProblem(await ask(api, 'POST', '/authorities', order), 409, 'chain-exists')
  assertProblem(await ask(api, 'POST', '/authorities', { chain: 'Rsa' }), 400, 'request-invalid')
  assertProblem(await ask(api, 'POST', '/authorities', { chain: 'x', keyType: 'RSA-1024' }), 400, 'request-invalid')
})

test('a root is changed step by step, waits for devices, and is undone or cut', async (t) => {
  const api = await apiParts(t)
  await enrolled(api, 'pump-1')
  const order = { role: 'root', isPaused: true }
  const begun = await answered<RollOverView>(ask(api, 'POST', '/roll-overs', order), 201)
  assert.deepEqual([begun.state, begun.isPaused], ['prepared', true])
  assertProblem(await ask(api, 'POST', '/roll-overs', order), 409, 'roll-over-open')
  assertProblem(await ask(api, 'POST', '/roll-overs/main/cut'), 409, 'roll-over-step-refused')
  const resumed = await answered<RollOverView>(ask(api, 'POST', '/roll-overs/main/resume'))
  assert.deepEqual([resumed.state, resumed.devices, resumed.acknowledged], ['switched', 1, 0])
  assert.deepEqual(resumed.unknown, ['pump-1'])
  const waiting = await answered<RollOverView>(ask(api, 'POST', '/roll-overs/main/cut', { sharePercent: 100 }))
  assert.equal(waiting.state, 'cutting')
  const undone = await answered<RollOverView>(ask(api, 'POST', '/roll-overs/main/undo'))
  assert.equal(undone.state, 'undone')
  assertProblem(await ask(api, 'POST', '/roll-overs/main/undo'), 404, 'roll-over-missing')
  await answered<RollOverView>(ask(api, 'POST', '/roll-overs', { role: 'root' }), 201)
  const cut = await answered<RollOverView>(ask(api, 'POST', '/roll-overs/main/cut', { isForced: true }))
  assert.equal(cut.state, 'done')
  const { items } = await answered<RollOverListView>(ask(api, 'GET', '/roll-overs'))
  assert.deepEqual(
    items.map(({ state }) => state),
    ['done', 'undone'],
  )
})

test('an answer that was lost is given again, and the roll-over is begun once', async (t) => {
  const api = await apiParts(t)
  const again = () => ask(api, 'POST', '/roll-overs', { role: 'issuing' }, { 'idempotency-key': 'once' })
  const first = await answered<RollOverView>(again(), 201)
  assert.deepEqual(await answered<RollOverView>(again(), 201), first)
  assert.equal((await api.hub.store.rollOvers.all()).length, 1)
})

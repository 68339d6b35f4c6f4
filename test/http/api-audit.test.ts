/** The chain of the audit log, over the admin API. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditChainView, AuditHeadView } from '../../src/api-schema/views.ts'
import { auditChainStart, firstBreak } from '../../src/core/audit/chain.ts'
import { answered, apiParts, ask } from './api-parts.ts'
import { assertProblem } from './problem.ts'

test('the chain is read in its order from any entry on, and leads to the head', async (t) => {
  const api = await apiParts(t)
  for (let n = 0; n < 5; n++) await answered(ask(api, 'POST', '/devices', { id: `pump-${n}` }), 201)
  const head = await answered<AuditHeadView>(ask(api, 'GET', '/audit/head'))
  let reached = { number: 0, hash: auditChainStart }
  for (;;) {
    const page = await answered<AuditChainView>(ask(api, 'GET', `/audit/chain?since=${reached.number}&limit=4`))
    assert.deepEqual(page.head, head)
    if (page.items.length === 0) break
    const entries = page.items.map(({ at, ...entry }) => ({ ...entry, atMs: Date.parse(at) }))
    assert.equal(firstBreak(reached, entries), null)
    reached = entries.at(-1) ?? reached
  }
  assert.deepEqual({ number: reached.number, hash: reached.hash }, head)
})

test('an entry that is not there is waited for by nobody', async (t) => {
  const api = await apiParts(t)
  const { items } = await answered<AuditChainView>(ask(api, 'GET', '/audit/chain?since=1000000'))
  assert.deepEqual(items, [])
  assertProblem(await ask(api, 'GET', '/audit/chain?since=-1'), 400, 'request-invalid')
})

/** Authorities that are made while the clock goes on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeIssuing, makeRoot } from '../../src/hub/make-authorities.ts'
import { hubParts } from '../support/hub-parts.ts'

test('a root and an issuing authority are made although a second passes at every look at the clock', async (t) => {
  const hub = await hubParts(t)
  const clock = {
    nowMs: () => {
      hub.clock.advance(1_000)
      return hub.clock.nowMs()
    },
  }
  const wish = { chain: 'second', keyType: 'P-256' } as const
  const root = await makeRoot({ ...hub, clock }, { ...wish, name: null })
  assert.equal(root.role, 'root')
  const parent = hub.authorities.root()
  assert.equal((await makeIssuing({ ...hub, clock }, { ...wish, parent })).parentId, parent.id)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type AuditHash,
  auditChainStart,
  auditHash,
  type ChainedEntry,
  firstBreak,
} from '../../../src/core/audit/chain.ts'

type Entry = ChainedEntry & { readonly hash: AuditHash }

function chainOf(count: number): readonly Entry[] {
  let hash = auditChainStart
  return Array.from({ length: count }, (_, index) => {
    const entry = {
      number: index + 1,
      atMs: 1_700_000_000_000 + index,
      actor: 'key:admin',
      act: 'identity.state',
      subject: `pump-${index}`,
      before: { state: 'active' },
      after: { state: 'disabled' },
    }
    hash = auditHash(hash, entry)
    return { ...entry, hash }
  })
}

const start = { number: 0, hash: auditChainStart }

test('a hash is that of the documented text, so that others can check it with any tool', () => {
  // printf '%s\n%s' 000…0 '[1,5,"hub","a","s",null,{"b":1}]' | sha256sum
  assert.equal(
    auditHash(auditChainStart, {
      number: 1,
      atMs: 5,
      actor: 'hub',
      act: 'a',
      subject: 's',
      before: null,
      after: { b: 1 },
    }),
    '7d5d68da09bbf4eb6764e59070a71bf511888d4193140152f9eda1ba5f96ce3b',
  )
})

test('a whole chain has no break, from the start or from any entry of it', () => {
  const chain = chainOf(6)
  assert.equal(firstBreak(start, chain), null)
  assert.equal(firstBreak(start, []), null)
  const third = chain[2]
  assert.ok(third !== undefined)
  assert.equal(firstBreak(third, chain.slice(3)), null)
})

test('an entry that is changed in any field, left out, moved or put in is found', () => {
  const chain = chainOf(6)
  const third = chain[2]
  assert.ok(third !== undefined)
  for (const change of [
    { atMs: 1 },
    { actor: 'hub' },
    { act: 'x' },
    { subject: 'pump-9' },
    { before: null },
    { after: { state: 'retired' } },
    { hash: auditChainStart },
  ]) {
    const changed: Entry = { ...third, ...change }
    assert.equal(firstBreak(start, chain.with(2, changed)), changed, JSON.stringify(change))
  }
  assert.equal(firstBreak(start, chain.toSpliced(2, 1))?.number, 4)
  assert.equal(firstBreak(start, chain.toSpliced(2, 0, third))?.number, 3)
  assert.equal(firstBreak(start, chain.slice(1))?.number, 2)
})

test('a changed entry whose own hash was made to fit breaks the chain at the next one', () => {
  const chain = chainOf(4)
  const [first, second] = chain
  assert.ok(first !== undefined && second !== undefined)
  const forged = { ...second, actor: 'nobody' }
  assert.equal(firstBreak(start, chain.with(1, { ...forged, hash: auditHash(first.hash, forged) }))?.number, 3)
})

/** What is kept of a policy that is tried: the first differences of the last versions, each once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../src/core/limits.ts'
import { type ShadowDifference, ShadowDifferences } from '../../src/hub/shadow-differences.ts'

const difference = (parts: Partial<ShadowDifference>): ShadowDifference => ({
  ...{ version: 2, active: 1, identity: 'pump-7', action: 'publish', topic: 'a', allowed: true },
  ...{ because: 'x', shadowBecause: 'y', atMs: 1 },
  ...parts,
})

test('the first differences of a version are kept, each once, and the rest is counted', () => {
  const kept = new ShadowDifferences()
  const topics = Array.from({ length: limits.shadowDifferencesKeptMax + 5 }, (_, i) => `t/${i}`)
  for (const topic of topics) kept.shadowFound(difference({ topic }))
  for (const topic of topics.slice(0, 9)) kept.shadowFound(difference({ topic, atMs: 9 }))
  const { items, more } = kept.of(2)
  assert.deepEqual(
    items.map(({ topic }) => topic),
    topics.slice(0, limits.shadowDifferencesKeptMax),
  )
  assert.equal(items[0]?.atMs, 1)
  assert.equal(more, 5)
  assert.deepEqual(kept.of(3), { items: [], more: 0 })
})

test('of several versions those that were heard of last are kept', () => {
  const kept = new ShadowDifferences()
  const versions = Array.from({ length: limits.shadowVersionsKeptMax + 1 }, (_, i) => i + 1)
  for (const version of versions) {
    kept.shadowFound(difference({ version: 1, topic: `t/${version}` }))
    kept.shadowFound(difference({ version }))
  }
  assert.deepEqual(
    versions.map((version) => kept.of(version).items.length > 0),
    versions.map((version) => version !== 2),
  )
})

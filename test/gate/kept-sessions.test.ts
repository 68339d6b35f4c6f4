import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { limits } from '../../src/core/limits.ts'
import type { TopicFilter } from '../../src/core/mqtt/filter.ts'
import { type KeptSession, KeptSessions } from '../../src/gate/kept-sessions.ts'
import { Unreleased } from '../../src/gate/unreleased.ts'

function sessionOf(...filters: string[]): KeptSession {
  return { filters: filters as TopicFilter[], unreleased: new Unreleased(8) }
}

suite('the memory of kept sessions', () => {
  test('gives back what was last kept for an owner and a client id, and nothing for another', () => {
    const kept = new KeptSessions()
    kept.keep('pump-7', 'main', sessionOf('a'))
    kept.keep('pump-7', 'main', sessionOf('b'))
    assert.deepEqual(kept.find('pump-7', 'main')?.filters, ['b'])
    assert.equal(kept.find('pump-7', 'other'), null)
    assert.equal(kept.find('quarantine:pump-7', 'main'), null)
    kept.forget('pump-7', 'main')
    assert.equal(kept.find('pump-7', 'main'), null)
  })

  test('forgets the oldest of an identity that comes under many client ids, and none of another', () => {
    const kept = new KeptSessions()
    kept.keep('valve-3', 'main', sessionOf('a'))
    for (let i = 0; i <= limits.sessionsPerIdentityMax; i++) kept.keep('pump-7', `client-${i}`, sessionOf('a'))
    assert.equal(kept.find('pump-7', 'client-0'), null)
    assert.notEqual(kept.find('pump-7', 'client-1'), null)
    assert.notEqual(kept.find('valve-3', 'main'), null)
  })

  test('has a bound in bytes, beyond which who left longest ago is forgotten', () => {
    const kept = new KeptSessions(64 * 1024)
    const long = 'x'.repeat(1000)
    for (let i = 0; i < 100; i++) kept.keep(`pump-${i}`, 'main', sessionOf(long))
    const known = Array.from({ length: 100 }, (_, i) => i).filter((i) => kept.find(`pump-${i}`, 'main') !== null)
    assert.ok(known.length > 10 && known.length < 40, String(known.length))
    assert.deepEqual(
      known,
      Array.from({ length: known.length }, (_, i) => 100 - known.length + i),
    )
  })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HalfOpen } from '../../src/gate/half-open.ts'
import { sourceOf } from '../../src/hub/peer-address.ts'

test('one address cannot take all places of half-open connections, and gets its own back as they finish', () => {
  const halfOpen = new HalfOpen<number>({ halfOpenConnectionsMax: 4, halfOpenPerAddressMax: 2 })
  const greedy = [1, 2, 3].map((connection) => halfOpen.add(connection, '192.0.2.1'))
  assert.deepEqual(greedy.slice(0, 2), [null, null])
  assert.match(greedy[2] ?? '', /2 connections from 192\.0\.2\.1 /)
  assert.equal(halfOpen.add(4, '192.0.2.2'), null)
  halfOpen.delete(1)
  halfOpen.delete(1)
  assert.equal(halfOpen.add(5, '192.0.2.1'), null)
  assert.notEqual(halfOpen.add(6, '192.0.2.1'), null)
  assert.equal(halfOpen.add(7, '192.0.2.3'), null)
  assert.match(halfOpen.add(8, '192.0.2.4') ?? '', /^4 connections are waiting/)
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6, 7, 8].filter((each) => halfOpen.has(each)),
    [2, 4, 5, 7],
  )
})

test('an IPv6 address counts for its network of 64 bits', () => {
  for (const [address, source] of [
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['64:ff9b::192.0.2.33', '64:ff9b:0:0::/64'],
    ['192.0.2.1', '192.0.2.1'],
    ['unknown', 'unknown'],
  ] as const) {
    assert.equal(sourceOf(address), source)
  }
})

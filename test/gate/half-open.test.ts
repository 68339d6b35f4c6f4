import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HalfOpen } from '../../src/gate/half-open.ts'
import { sourceOf } from '../../src/hub/peer-address.ts'
import { StandingClock } from '../support/hub-parts.ts'

const limits = {
  halfOpenConnectionsMax: 4,
  halfOpenFailingMax: 1,
  connectFailuresMax: 2,
  connectFailureForgottenMs: 1_000,
  connectFailureSourcesMax: 100,
}

class Bed {
  readonly clock = new StandingClock(1_000_000)
  readonly halfOpen: HalfOpen<number>
  /** Connections that gave way to others. */
  readonly gone: number[] = []

  constructor() {
    this.halfOpen = new HalfOpen(limits, this.clock)
  }

  add(connection: number, address: string | null): string | null {
    return this.halfOpen.add(connection, address, () => this.gone.push(connection))?.code ?? null
  }
}

test('one address has all places of half-open connections where nobody else wants one', () => {
  const bed = new Bed()
  for (const connection of [1, 2, 3, 4]) assert.equal(bed.add(connection, '192.0.2.1'), null)
  assert.equal(bed.add(5, '192.0.2.1'), 'too-many-handshakes')
  bed.halfOpen.delete(1)
  bed.halfOpen.delete(1)
  assert.equal(bed.add(5, '192.0.2.1'), null)
})

test('where all places are taken, who has most of them gives way, oldest first, until others have as many', () => {
  const bed = new Bed()
  for (const connection of [1, 2, 3, 4]) bed.add(connection, '192.0.2.1')
  assert.equal(bed.add(5, '192.0.2.2'), null)
  assert.equal(bed.add(6, '192.0.2.3'), null)
  assert.deepEqual(bed.gone, [1, 2])
  assert.equal(bed.add(7, '192.0.2.4'), null)
  assert.equal(bed.add(8, '192.0.2.5'), 'too-many-handshakes')
  assert.equal(bed.add(9, '192.0.2.4'), 'too-many-handshakes')
  assert.deepEqual(bed.gone, [1, 2, 3])
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6, 7, 8].filter((each) => bed.halfOpen.has(each)),
    [4, 5, 6, 7],
  )
})

test('an address that fails often is let in a few at a time, until its failures are forgotten or made up for', () => {
  const bed = new Bed()
  const failing = '192.0.2.1'
  bed.halfOpen.failed(failing)
  assert.deepEqual([bed.add(1, failing), bed.add(2, failing)], [null, null])
  bed.halfOpen.failed(failing)
  assert.equal(bed.add(3, failing), 'address-failing')
  assert.equal(bed.add(4, '192.0.2.2'), null)
  bed.halfOpen.succeeded(failing)
  assert.equal(bed.add(3, failing), null)
  bed.halfOpen.failed(failing)
  bed.halfOpen.delete(1)
  assert.equal(bed.add(5, failing), 'address-failing')
  bed.clock.advance(1_000)
  assert.equal(bed.add(5, failing), null)
})

test('a failing address has its few places, so that a good device behind it comes in', () => {
  const bed = new Bed()
  for (let failure = 0; failure < 10; failure++) bed.halfOpen.failed('192.0.2.1')
  assert.equal(bed.add(1, '192.0.2.1'), null)
  assert.equal(bed.add(2, '192.0.2.1'), 'address-failing')
  bed.halfOpen.delete(1)
  assert.equal(bed.add(2, '192.0.2.1'), null)
})

test('behind a proxy a connection counts for the address that the proxy names', () => {
  const bed = new Bed()
  for (let failure = 0; failure < 2; failure++) bed.halfOpen.failed('192.0.2.1')
  assert.equal(bed.add(1, null), null)
  assert.equal(bed.add(2, null), null)
  assert.equal(bed.halfOpen.comesFrom(1, '192.0.2.1'), null)
  assert.equal(bed.halfOpen.comesFrom(2, '192.0.2.1')?.code, 'address-failing')
  assert.equal(bed.halfOpen.count(), 1)
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

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { limits } from '../../src/core/limits.ts'
import type { CertificateSummary } from '../../src/core/x509/certificate-summary.ts'
import type { NewAttempt } from '../../src/hub/ports/attempts.ts'
import type { NewRefusals } from '../../src/hub/ports/cases.ts'
import { CaseTally, otherStrangers } from '../../src/hub/tally-cases.ts'
import { noonMs } from '../support/hub-parts.ts'

function certificate(n: number, names: Partial<CertificateSummary> = {}): CertificateSummary {
  const fingerprint = n.toString(16).padStart(64, '0')
  return {
    ...{
      fingerprint,
      serialNumber: '01',
      subject: `CN=pump-${n}`,
      issuer: 'CN=issuing',
      notBeforeSec: 1,
      notAfterSec: 2,
    },
    ...names,
  }
}

function refused(change: Partial<NewAttempt> = {}): NewAttempt {
  return {
    atMs: noonMs,
    listener: 'mqtt',
    address: '192.0.2.1',
    stage: 'certificate',
    outcome: 'refused',
    code: 'certificate-foreign-authority',
    sentence: 'nobody knows its issuer',
    identityId: null,
    clientId: null,
    tlsVersion: 'TLSv1.3',
    mqttVersion: null,
    certificate: null,
    ...change,
  }
}

function admitted(change: Partial<NewAttempt> = {}): NewAttempt {
  return refused({ outcome: 'admitted', stage: 'session', code: null, identityId: 'pump-7', ...change })
}

function partiesOf(refusals: readonly NewRefusals[]): readonly string[] {
  return refusals.map(({ party: { kind, name } }) => `${kind} ${name.replace(/^0+/, '')}`).sort()
}

function tallied(attempts: Iterable<NewAttempt>, nowMs = noonMs + 60_000) {
  const tally = new CaseTally()
  for (const attempt of attempts) tally.add(attempt, nowMs)
  return tally.take()
}

describe('whose case an attempt is', () => {
  test('the identity is it where one was proved, else the certificate, else the network', () => {
    const { refusals } = tallied([
      refused({ identityId: 'pump-7', certificate: certificate(1) }),
      refused({ certificate: certificate(1) }),
      refused(),
      refused({ address: '2001:db8::1' }),
      refused({ address: '2001:db8::2' }),
    ])
    assert.deepEqual(partiesOf(refusals), [
      'certificate 1',
      'identity pump-7',
      'network 192.0.2.1',
      'network 2001:db8:0:0::/64',
    ])
  })

  test('cause and listener tell cases apart; address, stage and sentence do not', () => {
    const own = { identityId: 'pump-7' }
    const { refusals } = tallied([
      refused(own),
      refused({ ...own, address: '192.0.2.9', sentence: 'another', stage: 'session', atMs: noonMs + 5 }),
      refused({ ...own, listener: 'plant' }),
      refused({ ...own, code: 'certificate-expired' }),
    ])
    assert.deepEqual(
      refusals.map(({ count, firstAtMs, last }) => [count, firstAtMs - noonMs, last.atMs - noonMs, last.address]),
      [
        [2, 0, 5, '192.0.2.9'],
        [1, 0, 0, '192.0.2.1'],
        [1, 0, 0, '192.0.2.1'],
      ],
    )
  })

  test('an issuer is kept where the cause is about certificates and others may have it too', () => {
    const { refusals } = tallied([
      refused({ certificate: certificate(1) }),
      refused({ certificate: certificate(2, { subject: 'CN=self', issuer: 'CN=self' }) }),
      refused({ certificate: certificate(3), code: 'identity-disabled' }),
      refused(),
    ])
    assert.deepEqual(
      refusals.map(({ issuer }) => issuer),
      ['CN=issuing', null, null, null],
    )
  })
})

test('what a gate whose clock is ahead tells is counted as of now, and what it tells late as of then', () => {
  const { refusals, admissions } = tallied(
    [
      refused({ identityId: 'pump-7', atMs: noonMs - 5_000 }),
      refused({ identityId: 'pump-7', atMs: noonMs + 86_400_000 * 365 }),
      admitted({ identityId: 'pump-8', atMs: noonMs + 1 }),
    ],
    noonMs,
  )
  assert.deepEqual(
    refusals.map(({ firstAtMs, last }) => [firstAtMs, last.atMs]),
    [[noonMs - 5_000, noonMs]],
  )
  assert.equal(admissions[0]?.atMs, noonMs)
})

describe('admissions', () => {
  test('are told by listener, with the identity and the certificate that came in', () => {
    const { admissions } = tallied([
      admitted({ certificate: certificate(1) }),
      admitted({ listener: 'plant', identityId: 'pump-8', atMs: noonMs + 9 }),
    ])
    assert.deepEqual(admissions, [
      {
        ...{ listener: 'mqtt', atMs: noonMs },
        parties: [
          { kind: 'identity', name: 'pump-7' },
          { kind: 'certificate', name: certificate(1).fingerprint },
        ],
      },
      { listener: 'plant', atMs: noonMs + 9, parties: [{ kind: 'identity', name: 'pump-8' }] },
    ])
  })

  test('of whoever is refused after it are none', () => {
    const { admissions, refusals } = tallied([
      admitted(),
      refused({ identityId: 'pump-7', code: 'session-taken-over' }),
    ])
    assert.deepEqual(
      admissions.flatMap(({ parties }) => parties),
      [],
    )
    assert.equal(refusals.length, 1)
  })

  test('with something amiss are no refusals', () => {
    const { refusals, admissions } = tallied([admitted({ code: 'renewal-contested' })])
    assert.deepEqual([refusals.length, admissions.length], [0, 1])
  })
})

describe('a flood', () => {
  test('of one kind is one case, with all of it counted', () => {
    const { refusals } = tallied(Array.from({ length: 20_000 }, () => refused()))
    assert.deepEqual(
      refusals.map(({ count }) => count),
      [20_000],
    )
  })

  test('of certificates that somebody makes up is few cases and one of the network', () => {
    const count = limits.certificatesOfNetworkMax + 300
    const { refusals } = tallied(Array.from({ length: count }, (_, n) => refused({ certificate: certificate(n + 1) })))
    assert.equal(refusals.length, limits.certificatesOfNetworkMax + 1)
    const ofNetwork = refusals.find(({ party }) => party.kind === 'network')
    assert.equal(ofNetwork?.count, 300)
  })

  test('from everywhere keeps no identity from its case', () => {
    const tally = new CaseTally()
    for (let n = 0; n < 2 * limits.casesWaitingMax; n += 1)
      tally.add(refused({ address: `10.${n >> 8}.${n & 255}.1` }), noonMs)
    tally.add(refused({ identityId: 'pump-7' }), noonMs)
    const { refusals } = tally.take()
    assert.equal(refusals.length, limits.casesOfStrangersPerSecondMax + 2)
    const others = refusals.find(({ party }) => party === otherStrangers)
    assert.equal(others?.count, 2 * limits.casesWaitingMax - limits.casesOfStrangersPerSecondMax)
    assert.equal(tally.takeLeftOut(), 0)
  })

  test('that lasts while the registry stands still waits in bounded number', () => {
    const tally = new CaseTally()
    for (let n = 0; n < 3 * limits.casesWaitingMax; n += 1) {
      tally.add(refused({ identityId: `pump-${n}` }), noonMs + n * 10)
      tally.add(admitted({ identityId: `valve-${n}`, certificate: certificate(n) }), noonMs + n * 10)
    }
    assert.ok(tally.size <= 2 * limits.casesWaitingMax + 2, `${tally.size} wait`)
    const { refusals, admissions } = tally.take()
    assert.equal(refusals.length, limits.casesWaitingMax)
    assert.equal(tally.takeLeftOut(), 2 * limits.casesWaitingMax)
    assert.equal(tally.takeLeftOut(), 0)
    assert.ok(admissions.every(({ parties }) => parties.length <= limits.casesWaitingMax + 1))
    assert.equal(tally.size, 0)
  })

  test('leaves room again when the while is over in which certificates were told apart', () => {
    const count = limits.certificatesOfNetworkMax + 1
    const tally = new CaseTally()
    for (let n = 0; n < count; n += 1) tally.add(refused({ certificate: certificate(n) }), noonMs)
    tally.take()
    const later = noonMs + limits.certificatesToldApartMs
    tally.add(refused({ certificate: certificate(count) }), later)
    assert.deepEqual(
      tally.take().refusals.map(({ party }) => party.kind),
      ['certificate'],
    )
  })
})

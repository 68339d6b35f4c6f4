import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type CredentialState, credentialStates } from '../../../src/core/identity/credential.ts'
import {
  type Abilities,
  abilitiesOf,
  hasLapsed,
  type JudgedCredential,
  type RenewalRules,
} from '../../../src/core/renewal/abilities.ts'
import { overlapEndMs } from '../../../src/core/renewal/overlap.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const bornMs = Date.UTC(2026, 10, 21, 12)
const endMs = bornMs + 10 * dayMs

const rules: RenewalRules = { afterExpirySec: 30 * 86_400, quarantineAfterExpiry: true, pendingLapsesSec: 7 * 86_400 }

function credential(state: CredentialState, change: Partial<JudgedCredential> = {}): JudgedCredential {
  return {
    state,
    parentSerial: '3f00',
    notBeforeSec: bornMs / 1000 - 300,
    notAfterSec: endMs / 1000 - 1,
    issuedAtMs: bornMs,
    activatedAtMs: ['active', 'superseded'].includes(state) ? bornMs + hourMs : null,
    supersededAtMs: state === 'superseded' ? bornMs + 5 * dayMs : null,
    ...change,
  }
}

function may({ connect, renew, refusal }: Abilities): string {
  return `${connect} ${renew} ${refusal ?? ''}`.trim()
}

/** What opens when, for each state: hours since its issue, and what it may do then. */
const table: readonly (readonly [CredentialState, readonly (readonly [hours: number, what: string])[]])[] = [
  ['intended', [[1, 'no no certificate-never-completed']]],
  [
    'pending',
    [
      [-1, 'no no certificate-not-yet-valid'],
      [0, 'freely freely'],
      [7 * 24 - 1, 'freely freely'],
      [7 * 24, 'no no certificate-lapsed'],
      [10 * 24, 'no no certificate-lapsed'],
    ],
  ],
  [
    'active',
    [
      [-1, 'no no certificate-not-yet-valid'],
      [10 * 24 - 1, 'freely freely'],
      [10 * 24, 'no into-quarantine certificate-expired'],
      [40 * 24 - 1, 'no into-quarantine certificate-expired'],
      [40 * 24, 'no no certificate-expired'],
    ],
  ],
  [
    'quarantined',
    [
      [1, 'in-quarantine into-quarantine'],
      [7 * 24, 'no no certificate-lapsed'],
    ],
  ],
  [
    'superseded',
    [
      [5 * 24, 'freely into-quarantine'],
      [6 * 24 - 1, 'freely into-quarantine'],
      [6 * 24, 'no no certificate-superseded'],
      [11 * 24, 'no no certificate-superseded'],
    ],
  ],
  ['revoked', [[1, 'no no certificate-revoked']]],
  ['expired', [[1, 'no no certificate-expired']]],
  ['unadopted', [[1, 'no no certificate-not-adopted']]],
]

test('each state opens what it should at each hour', () => {
  const decided = table.map(([state]) => state)
  assert.deepEqual(decided.sort(), [...credentialStates].sort(), 'every state is decided')
  for (const [state, moments] of table) {
    for (const [hours, what] of moments) {
      const abilities = abilitiesOf(credential(state), rules, bornMs + hours * hourMs)
      assert.equal(may(abilities), what, `${state} after ${hours} h`)
    }
  }
})

test('the last second of a validity is good, and the one behind it is not', () => {
  const active = credential('active')
  assert.equal(abilitiesOf(active, rules, endMs - 1).connect, 'freely')
  assert.equal(abilitiesOf(active, rules, endMs).connect, 'no')
  assert.equal(abilitiesOf(active, rules, endMs + rules.afterExpirySec * 1000 - 1).renew, 'into-quarantine')
  assert.equal(abilitiesOf(active, rules, endMs + rules.afterExpirySec * 1000).renew, 'no')
})

test('the overlap is a day, or less where the certificate itself ends first', () => {
  assert.equal(overlapEndMs({ supersededAtMs: bornMs, notAfterSec: endMs / 1000 - 1 }), bornMs + dayMs)
  assert.equal(overlapEndMs({ supersededAtMs: endMs - hourMs, notAfterSec: endMs / 1000 - 1 }), endMs)
  const late = credential('superseded', { supersededAtMs: endMs - hourMs })
  assert.equal(abilitiesOf(late, rules, endMs - 1).connect, 'freely')
  assert.equal(may(abilitiesOf(late, rules, endMs)), 'no no certificate-superseded')
})

test('a certificate that a token brought waits for its first use until its own end', () => {
  assert.equal(may(abilitiesOf(credential('pending', { parentSerial: null }), rules, endMs - 1)), 'freely freely')
  assert.equal(hasLapsed(credential('pending', { parentSerial: null }), rules, endMs), false)
})

test('after its end a certificate is renewed with its own key, and where the profile says so without quarantine', () => {
  const open = { ...rules, quarantineAfterExpiry: false }
  assert.deepEqual(abilitiesOf(credential('active'), open, endMs), {
    connect: 'no',
    renew: 'freely',
    sameKeyOnly: true,
    refusal: 'certificate-expired',
  })
  const never = { ...rules, afterExpirySec: 0 }
  assert.equal(abilitiesOf(credential('active'), never, endMs).renew, 'no')
  assert.equal(abilitiesOf(credential('active'), null, endMs).renew, 'no')
})

test('a quarantine does not end by waiting for the end of the certificate', () => {
  const used = credential('quarantined', { activatedAtMs: bornMs })
  const open = { ...rules, quarantineAfterExpiry: false }
  assert.equal(abilitiesOf(used, open, endMs).renew, 'into-quarantine')
})

const anyRules = fc.option(
  fc.record({
    afterExpirySec: fc.integer({ min: 0, max: 400 * 86_400 }),
    quarantineAfterExpiry: fc.boolean(),
    pendingLapsesSec: fc.integer({ min: 1, max: 400 * 86_400 }),
  }),
)
const anyMoment = fc.integer({ min: bornMs - 2 * dayMs, max: endMs + 400 * dayMs })
const anyCredential = fc
  .record({
    state: fc.constantFrom(...credentialStates),
    parentSerial: fc.option(fc.constant('3f00')),
    activatedAtMs: fc.option(anyMoment),
    supersededAtMs: fc.option(anyMoment),
  })
  .map(({ state, ...change }) => credential(state, change))

test('in every state and at every second, what may not connect says why, and only what is in its dates connects', () => {
  fc.assert(
    fc.property(anyCredential, anyRules, anyMoment, (judged, some, nowMs) => {
      const abilities = abilitiesOf(judged, some, nowMs)
      assert.equal(abilities.refusal === null, abilities.connect !== 'no')
      const nowSec = Math.floor(nowMs / 1000)
      const isWithin = nowSec >= judged.notBeforeSec && nowSec <= judged.notAfterSec
      if (abilities.connect !== 'no') assert.ok(isWithin)
      if (abilities.renew !== 'no' && !isWithin) assert.ok(abilities.sameKeyOnly && nowSec > judged.notAfterSec)
    }),
    { numRuns: 2_000 },
  )
})

test('no moment opens anything for what was revoked, and nothing leaves quarantine or overlap by renewal', () => {
  fc.assert(
    fc.property(anyCredential, anyRules, anyMoment, (judged, some, nowMs) => {
      const { connect, renew } = abilitiesOf(judged, some, nowMs)
      if (['revoked', 'expired', 'intended', 'unadopted'].includes(judged.state)) {
        assert.deepEqual([connect, renew], ['no', 'no'])
      }
      if (judged.state === 'quarantined' || judged.state === 'superseded') assert.notEqual(renew, 'freely')
      if (judged.state === 'quarantined') assert.notEqual(connect, 'freely')
    }),
    { numRuns: 2_000 },
  )
})

test('once an overlap is over, it never comes back', () => {
  fc.assert(
    fc.property(anyCredential, anyRules, anyMoment, fc.nat(400 * dayMs), (judged, some, nowMs, laterMs) => {
      const superseded = { ...judged, state: 'superseded' as const }
      if (abilitiesOf(superseded, some, nowMs).refusal !== 'certificate-superseded') return
      assert.equal(abilitiesOf(superseded, some, nowMs + laterMs).refusal, 'certificate-superseded')
    }),
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HubError } from '../../src/core/errors.ts'
import type { NewAttempt } from '../../src/hub/ports/attempts.ts'
import { encodeFrame, FrameReader } from '../../src/link/frames.ts'
import { linkLimits } from '../../src/link/limits.ts'
import { type GateMessage, readGateMessage, readHubMessage } from '../../src/link/messages.ts'
import { Reports } from '../../src/link/reports.ts'

const attempt: NewAttempt = {
  atMs: 1_700_000_000_000,
  listener: 'mqtt',
  address: '10.0.0.7',
  stage: 'session',
  outcome: 'admitted',
  code: null,
  sentence: 'pump-7 connected',
  identityId: 'pump-7',
  clientId: 'pump-7-a',
  tlsVersion: 'TLSv1.3',
  mqttVersion: '5',
  certificate: {
    fingerprint: 'ab'.repeat(32),
    serialNumber: '3f',
    subject: 'CN=pump-7',
    issuer: 'CN=issuing',
    notBeforeSec: 0,
    notAfterSec: 4_000_000_000,
  },
}
const told = (change: object): object => ({ kind: 'told', attempts: [{ ...attempt, ...change }], counted: [] })

test('an attempt is read as it was told', () => {
  assert.deepEqual(readGateMessage(told({})), { kind: 'told', attempts: [attempt], counted: [] })
})

const lies: Readonly<Record<string, object>> = {
  'a message of no kind': {},
  'a kind that there is not': { kind: 'sign', certificate: 'x' },
  'a failure that the catalogue does not have': told({ code: '__proto__' }),
  'an identity whose id is none': told({ identityId: '../hub' }),
  'a text with a NUL, which PostgreSQL does not keep': told({ sentence: 'a\u0000b' }),
  'half of a surrogate pair': told({ clientId: '\ud800' }),
  'a sentence without end': told({ sentence: 'x'.repeat(linkLimits.textCharsMax + 1) }),
  'a time beyond all times': told({ atMs: 1e300 }),
  'more attempts than one message has': {
    kind: 'told',
    attempts: Array(linkLimits.toldMax + 1).fill(attempt),
    counted: [],
  },
  'an action that there is not': { kind: 'told', attempts: [], counted: [['shadowDiffered', 'sign', 'allow']] },
  'figures below zero': { kind: 'figures', figures: { sessions: -1 }, position: 0 },
  'a first use without a fingerprint': {
    kind: 'confirm',
    number: 1,
    use: { identityId: 'pump-7', proof: { kind: 'issued' } },
  },
}
for (const [what, message] of Object.entries(lies)) {
  test(`a gate that says ${what} is not understood`, () => {
    assert.throws(() => readGateMessage(message), { code: 'gate-link-malformed' })
  })
}

test('whatever JSON comes, a message is read or refused, and nothing else happens', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      for (const read of [readGateMessage, readHubMessage]) {
        try {
          read(value)
        } catch (error) {
          assert.ok(error instanceof HubError && error.code === 'gate-link-malformed')
        }
      }
    }),
  )
})

test('what a gate has to tell fits what its hub reads, whatever strangers have written', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 5_000 }),
      fc.array(fc.integer({ min: 0, max: 0xffff })),
      (long, units) => {
        // The space keeps it from being an id by chance.
        const wild = ` ${String.fromCharCode(...units)}${long}`
        const sent: GateMessage[] = []
        const reports = new Reports((message) => sent.push(message) > 0)
        reports.record({
          ...attempt,
          ...{ sentence: wild, address: wild, clientId: wild, identityId: wild },
          certificate: {
            ...(attempt.certificate as NonNullable<NewAttempt['certificate']>),
            subject: wild,
            issuer: wild,
          },
        })
        reports.shadowFound({
          ...{ version: 2, active: null, identity: 'pump-7', action: 'publish', topic: wild, allowed: true },
          ...{ because: wild, shadowBecause: wild, atMs: 1 },
        })
        reports.shadowFound({
          ...{ version: 2, active: null, identity: wild, action: 'publish', topic: 'a', allowed: true },
          ...{ because: 'x', shadowBecause: 'y', atMs: 1 },
        })
        reports.flush()
        for (const message of sent) readGateMessage(JSON.parse(JSON.stringify(message)))
        assert.deepEqual(
          sent.map((message) => message.kind === 'told' && message.counted.length),
          [1],
        )
      },
    ),
    { numRuns: 25 },
  )
})

test('however much strangers have written, no message is longer than the hub takes, and nothing is lost', () => {
  const sent: (GateMessage & { kind: 'told' })[] = []
  const reports = new Reports((message) => sent.push(message) > 0)
  const long = `CN=${'\u8a9e'.repeat(linkLimits.textCharsMax)}`
  const { certificate } = attempt
  for (let atMs = 0; atMs < linkLimits.toldMax; atMs++) {
    const shown = certificate === null ? null : { ...certificate, serialNumber: long, subject: long, issuer: long }
    reports.record({ ...attempt, atMs, sentence: long, certificate: shown })
    reports.packetDenied('publish-denied')
  }
  reports.flush()
  const hub = new FrameReader()
  const heard = sent.flatMap((message) => hub.push(encodeFrame(message))).map(readGateMessage)
  assert.deepEqual(heard, sent)
  assert.deepEqual(
    sent.flatMap(({ attempts }) => attempts.map(({ atMs }) => atMs)),
    Array.from({ length: linkLimits.toldMax }, (_, index) => index),
  )
  assert.equal(sent.flatMap(({ counted }) => counted).length, linkLimits.toldMax)
})

test('while nobody listens attempts are kept within bounds, and told when somebody does', () => {
  const sent: (GateMessage & { kind: 'told' })[] = []
  let listens = false
  const reports = new Reports((message) => listens && sent.push(message) > 0)
  for (let each = 0; each < linkLimits.waitingMax + 3; each++) reports.record({ ...attempt, atMs: each })
  reports.packetDenied('publish-denied')
  reports.flush()
  assert.equal(sent.length, 0)
  assert.equal(reports.dropped, 3)
  listens = true
  reports.flush()
  const times = sent.flatMap(({ attempts }) => attempts.map(({ atMs }) => atMs))
  assert.deepEqual(
    times,
    Array.from({ length: linkLimits.waitingMax }, (_, index) => index),
  )
  assert.deepEqual(sent[0]?.counted, [['packetDenied', 'publish-denied']])
  assert.ok(sent.every(({ attempts }) => attempts.length <= linkLimits.toldMax))
})

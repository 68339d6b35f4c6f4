import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeDevice, namingDevice, type SeenAttempt, type SeenDevice } from '../../../src/doctor/agent/judge-device.ts'

const nowMs = Date.UTC(2026, 10, 25)
const at = '2026-11-24T23:59:00.000Z'

const good: SeenDevice = {
  ...{ dir: 'pump-7', id: 'pump-7', nowMs, lastGoodTimeMs: nowMs - 60_000, isClockWrong: false },
  renewal: {
    ...{ state: 'good', dueAt: '2026-12-01T00:00:00.000Z', failures: 0, lastTryAt: null, lastFailure: null },
    ...{ isNextWaiting: false, isHookOwed: false },
  },
  ...{ hub: 'hub.plant.example:8443', hubFailure: null, hubTime: { ms: nowMs - 2_000, tookMs: 30 } },
  story: { verdict: { outcome: 'admitted', code: null, sentence: null }, attempts: [] },
}

const refused: SeenAttempt = {
  ...{ at, listener: 'mqtt', stage: 'policy', outcome: 'refused', code: 'connect-denied' },
  sentence: 'HF-3201 no statement lets pump-7 connect',
}

function found(more: Partial<SeenDevice>) {
  return judgeDevice({ ...good, ...more })
    .flatMap(({ findings }) => findings)
    .map(({ code, severity }) => `${severity} ${code}`)
}

test('a device with which nothing is wrong has no finding', () => {
  assert.deepEqual(found({}), [])
})

test('a clock that has been later already is wrong, whatever the hub says', () => {
  const [one] = judgeDevice({ ...good, nowMs: 0, isClockWrong: true, hubTime: null }).flatMap(
    ({ findings }) => findings,
  )
  assert.equal(one?.code, 'agent-clock-wrong')
  assert.equal(one?.evidence, 'it says 1970-01-01 00:00:00Z, and it has been 2026-11-24 23:59:00Z already')
})

test('clocks that are further apart than certificates bear are told with both, and the time of the answer is taken off', () => {
  const apart = judgeDevice({ ...good, hubTime: { ms: nowMs + 7_200_000, tookMs: 100 } }).flatMap(
    ({ findings }) => findings,
  )
  assert.deepEqual(
    apart.map(({ code }) => code),
    ['device-clock-apart'],
  )
  assert.match(apart[0]?.evidence ?? '', /1 hour behind that of the hub, 2026-11-25 02:00:00Z/)
  assert.deepEqual(found({ hubTime: { ms: nowMs - 305_000, tookMs: 6_000 } }), [])
})

test('renewals that failed and hooks that are owed are told, gravely where the certificate has ended', () => {
  const lastFailure = { code: 'hub-unreachable', message: 'connection refused', hint: 'start it' }
  const failing = { ...good.renewal, failures: 3, lastTryAt: at, lastFailure }
  assert.deepEqual(found({ renewal: failing }), ['warning hub-unreachable'])
  assert.deepEqual(found({ renewal: { ...failing, state: 'ended' } }), ['fault hub-unreachable'])
  assert.deepEqual(found({ renewal: { ...good.renewal, isHookOwed: true } }), ['warning agent-hook-failed'])
  const unknown = { ...failing, lastFailure: { ...lastFailure, code: 'made-up' } }
  assert.deepEqual(found({ renewal: unknown }), ['warning hub-answer-unexpected'])
})

test('why the hub could not be asked is told in its own words', () => {
  const hubFailure = {
    code: 'enrolment-tls-untrusted',
    message: 'its certificate is not for "hub"',
    hint: 'check the hub',
  }
  assert.deepEqual(found({ hubFailure, story: null, hubTime: null }), ['fault enrolment-tls-untrusted'])
})

test('the word of the hub about the certificate is a fault, its last refusal a warning until it was let in again', () => {
  const attempts = [refused]
  const admitted = { outcome: 'admitted', code: null, sentence: null } as const
  assert.deepEqual(found({ story: { verdict: admitted, attempts } }), ['warning connect-denied'])
  const again = { ...refused, outcome: 'admitted', code: null, sentence: null } as const
  assert.deepEqual(found({ story: { verdict: admitted, attempts: [again, refused] } }), [])
  const verdicts = [
    [{ code: 'certificate-expired', sentence: 'HF-2106 it ended' }, 'certificate-expired'],
    [{ code: null, sentence: 'revoked' }, 'certificate-revoked'],
    [{ code: null, sentence: 'disabled' }, 'identity-disabled'],
    [{ code: null, sentence: 'not accepted by this hub; its operator can see why' }, 'broker-refused-unexplained'],
    [{ code: 'of-a-later-hub', sentence: 'HF-9999 new' }, 'broker-refused-unexplained'],
  ] as const
  for (const [verdict, code] of verdicts) {
    assert.deepEqual(found({ story: { verdict: { outcome: 'refused', ...verdict }, attempts: [] } }), [`fault ${code}`])
  }
})

test('what a hub or a log says is printed on one line', () => {
  const hubFailure = { code: 'hub-unreachable', message: 'one\u001b[2Jtwo\nthree', hint: 'none' }
  const said = JSON.stringify(judgeDevice({ ...good, hubFailure, story: null }))
  assert.ok(!said.includes('\\u001b') && !said.includes('\\n'))
})

test('what the operator is to type names this device, where it knows its id', () => {
  const story = { verdict: { outcome: 'refused', code: null, sentence: 'revoked' } as const, attempts: [] }
  const cures = (id: string | null) =>
    namingDevice(judgeDevice({ ...good, id, story }), id).flatMap(({ findings }) => findings.map(({ cure }) => cure))
  assert.equal(cures('pump-7').length, 1)
  assert.match(cures('pump-7')[0] ?? '', /`handfast device enable pump-7`/)
  assert.match(cures(null)[0] ?? '', /`handfast device enable <id>`/)
})

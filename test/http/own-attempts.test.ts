/** What a device is told of its own attempts, over real TLS. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import type { FailureName } from '../../src/core/failure/catalogue.ts'
import { limits } from '../../src/core/limits.ts'
import { encodePem } from '../../src/core/x509/pem.ts'
import { registryAdmission } from '../../src/hub/admit.ts'
import { revokeDevice } from '../../src/hub/change-identity.ts'
import { ownAttempts } from '../../src/hub/own-attempts.ts'
import type { NewAttempt } from '../../src/hub/ports/attempts.ts'
import { ecKey, makeRoot } from '../core/x509/support.ts'
import { deviceRequest, noonMs } from '../support/hub-parts.ts'
import {
  asked,
  certificateIn,
  type Device,
  device,
  type Listener,
  listener,
  once,
  opened,
  type Shown,
} from './est-listener.ts'
import { assertProblem } from './problem.ts'

interface Story {
  readonly device: string
  readonly verdict: { readonly outcome: string; readonly code: string | null; readonly sentence: string | null }
  readonly attempts: readonly { readonly code: string | null; readonly sentence: string | null; readonly at: string }[]
}

const question = { path: '/device/attempts', method: 'GET' } as const

async function story(est: Listener, shown: Shown): Promise<Story> {
  const answer = await once(est, shown, question)
  assert.equal(answer.statusCode, 200, answer.body)
  assert.equal(answer.headers['cache-control'], 'no-store')
  assert.ok(!answer.body.includes('203.0.113.9'), 'no address is told')
  return JSON.parse(answer.body) as Story
}

/** Attempts at the gate: of a device, with its certificate or with another. */
async function tried(
  { hub }: Listener,
  { credential }: Device,
  code: FailureName | null,
  more: Partial<NewAttempt> = {},
): Promise<void> {
  const attempt: NewAttempt = {
    ...{ atMs: hub.clock.nowMs(), listener: 'mqtt', address: '203.0.113.9', clientId: 'c', tlsVersion: 'TLSv1.3' },
    ...{
      mqttVersion: '5',
      stage: code === null ? 'session' : 'policy',
      outcome: code === null ? 'admitted' : 'refused',
    },
    ...{ code, sentence: code === null ? 'admitted' : `the sentence of ${code}`, identityId: credential.identityId },
    certificate: {
      ...{ fingerprint: credential.fingerprint, serialNumber: credential.serialNumber, subject: 'CN=pump-7' },
      ...{ issuer: 'CN=issuing', notBeforeSec: credential.notBeforeSec, notAfterSec: credential.notAfterSec },
    },
    ...more,
  }
  await hub.store.write((tx) => tx.attempts.insertAll([attempt]))
}

test('a device that may connect reads its own attempts, newest first, and nobody else’s', async (t) => {
  const est = await listener(t)
  const [pump, other] = [await device(est, 'pump-7'), await device(est, 'pump-8')]
  await tried(est, pump, 'connect-denied')
  await tried(est, other, 'publish-denied')
  await tried(est, pump, null)
  const told = await story(est, pump.shown)
  assert.equal(told.device, 'pump-7')
  assert.deepEqual(told.verdict.outcome, 'admitted')
  assert.deepEqual(
    told.attempts.map(({ code }) => code),
    [null, 'connect-denied'],
  )
  assert.match(told.attempts[1]?.sentence ?? '', /^HF-\d+ the sentence of connect-denied$/)
  assert.ok(est.attempts.length === 0, 'to ask is no attempt')
})

test('they are bounded in number', async (t) => {
  const est = await listener(t)
  const pump = await device(est, 'pump-7')
  for (let count = 0; count < limits.ownAttemptsMax + 5; count++) await tried(est, pump, null)
  assert.equal((await story(est, pump.shown)).attempts.length, limits.ownAttemptsMax)
})

test('a certificate that has ended learns so, with the attempts that were made with it and no others', async (t) => {
  const est = await listener(t)
  const pump = await device(est, 'pump-7')
  await tried(est, pump, 'certificate-expired')
  await tried(est, pump, 'connect-denied', { certificate: null })
  est.hub.clock.advance(400 * 86_400_000)
  const { verdict, attempts } = await story(est, pump.shown)
  assert.deepEqual([verdict.outcome, verdict.code], ['refused', 'certificate-expired'])
  assert.deepEqual(
    attempts.map(({ code }) => code),
    ['certificate-expired'],
  )
})

test('a revoked one is told that word and no more', async (t) => {
  const est = await listener(t)
  const pump = await device(est, 'pump-7')
  await tried(est, pump, 'certificate-revoked')
  await revokeDevice(est.hub, est.hub.actor, pump.credential.identityId, 'keyCompromise')
  const { verdict, attempts } = await story(est, pump.shown)
  assert.deepEqual([verdict.code, verdict.sentence], [null, 'revoked'])
  assert.deepEqual([attempts[0]?.code, attempts[0]?.sentence], [null, 'revoked'])
})

test('a stranger is refused, recorded and told nothing, whatever name its certificate carries', async (t) => {
  const est = await listener(t)
  const pump = await device(est, 'pump-7')
  await tried(est, pump, 'connect-denied')
  const key = ecKey()
  const ofToday = { notBeforeSec: noonMs / 1000 - 86_400, notAfterSec: noonMs / 1000 + 86_400 }
  const shown = {
    key: key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: encodePem('CERTIFICATE', makeRoot(ofToday, key).der),
  }
  assertProblem(await once(est, shown, question), 401, 'certificate-self-signed')
  assertProblem(await once(est, null, question), 401, 'certificate-missing')
  assert.deepEqual(
    est.attempts.map(({ code, identityId }) => [code, identityId]),
    [
      ['certificate-self-signed', null],
      ['certificate-missing', null],
    ],
  )
})

test('where it is not to be told, nothing is read', async (t) => {
  const est = await listener(t)
  const pump = await device(est, 'pump-7')
  const reading = { list: () => assert.fail('it was read') }
  const store = { credentials: est.hub.store.credentials, attempts: reading } as unknown as typeof est.hub.store
  const der = new X509Certificate(pump.shown.cert ?? assert.fail()).raw
  const known: string[] = []
  const telling = ownAttempts({ store }, registryAdmission(est.hub), der, ({ admitted }, id) => {
    known.push(`${id} ${admitted}`)
    throw new RangeError('enough')
  })
  await assert.rejects(telling, RangeError)
  assert.deepEqual(known, ['pump-7 true'])
})

test('who asks again and again is slowed down, and its renewals are not', async (t) => {
  const est = await listener(t)
  const pump = await device(est, 'pump-7')
  const socket = await opened(est, pump.shown)
  t.after(() => socket.destroy())
  for (let count = 0; count < limits.ownAttemptsBurst; count++) {
    assert.equal((await asked(socket, question)).statusCode, 200)
  }
  assertProblem(await asked(socket, question), 429, 'rate-limited')
  const { certificateRequest: body } = deviceRequest('pump-7')
  certificateIn(await asked(socket, { path: '/.well-known/est/simplereenroll', body }))
})

/** A verifier that asks a hub: its real routes, over real TLS. */
import assert from 'node:assert/strict'
import { duplexPair } from 'node:stream'
import { test } from 'node:test'
import { HubError } from '../../src/core/errors.ts'
import { parseIdentityId } from '../../src/core/identity/id.ts'
import { limits } from '../../src/core/limits.ts'
import type { TopicName } from '../../src/core/mqtt/topic.ts'
import { changeDeviceState, revokeDevice } from '../../src/hub/change-identity.ts'
import { editIdentity } from '../../src/hub/edit-device.ts'
import { verifyByHub } from '../../src/verify/by-hub.ts'
import type { Refused } from '../../src/verify/verdict.ts'
import type { Verifier } from '../../src/verify/verifier.ts'
import { device, shownBy } from '../http/est-listener.ts'
import { authority } from '../support/anchor-bed.ts'
import { ownCertificate } from '../support/own-certificate.ts'
import { client, outcome } from './bed.ts'
import { derOf, hubBed, service } from './hub-bed.ts'

test('a device is who the registry says, and is asked about once', async (t) => {
  const bed = await hubBed(t)
  const pump = await device(bed, 'pump-7')
  const verifier = await bed.verifier()
  const der = pump.credential.certificate
  const together = await Promise.all([verifier.judge(der), verifier.judge(der), verifier.judge(der)])
  assert.deepEqual(together.map(outcome), ['pump-7', 'pump-7', 'pump-7'])
  const asked = bed.asked.filter((path) => path.startsWith('/verifier/certificates'))
  assert.equal(asked.length, 1)
  const [verdict] = together
  assert.ok(verdict?.admitted)
  assert.equal(verdict.peer.endsAtMs, (pump.credential.notAfterSec + 1) * 1000)
  assert.equal(verdict.rights().mayPublish('devices/pump-7/x' as TopicName), true)
  assert.equal(verdict.rights().mayPublish('devices/pump-8/x' as TopicName), false)
})

test('a revocation reaches the server at once, and ends the connection that it watches', async (t) => {
  const bed = await hubBed(t)
  const pump = await device(bed, 'pump-7')
  const press = await device(bed, 'press-1')
  const verifier = await bed.verifier()
  const [pumpIn, pressIn] = await Promise.all(
    [pump, press].map(({ credential }) => verifier.judge(credential.certificate)),
  )
  assert.ok(pumpIn?.admitted && pressIn?.admitted)
  const ended = Promise.withResolvers<Refused>()
  const [pumpSocket, pressSocket] = [socketOf(pump.credential.certificate), socketOf(press.credential.certificate)]
  verifier.watch(pumpSocket, pumpIn, ended.resolve)
  verifier.watch(pressSocket, pressIn)
  await revokeDevice(bed.hub, bed.hub.actor, parseIdentityId('pump-7'), 'keyCompromise')
  const { code, told, sentence } = await ended.promise
  assert.deepEqual([code, told], ['certificate-revoked', 'revoked'])
  assert.match(sentence, /keyCompromise/)
  assert.equal(pressSocket.destroyed, false)
  assert.equal(outcome(await verifier.judge(pump.credential.certificate)), 'certificate-revoked')
  assert.equal(outcome(await verifier.judge(press.credential.certificate)), 'press-1')
})

test('a device that is disabled is refused, and let in again when it is enabled', async (t) => {
  const bed = await hubBed(t)
  const { credential } = await device(bed, 'pump-7')
  const verifier = await bed.verifier()
  const judged = async () => outcome(await verifier.judge(credential.certificate))
  const id = parseIdentityId('pump-7')
  assert.equal(await judged(), 'pump-7')
  await changeDeviceState(bed.hub, bed.hub.actor, id, 'disabled')
  await until(t.signal, async () => (await judged()) === 'identity-disabled')
  await changeDeviceState(bed.hub, bed.hub.actor, id, 'active')
  await until(t.signal, async () => (await judged()) === 'pump-7')
})

test('nobody else is taken for a device: strangers without a question to the hub, other kinds by its word', async (t) => {
  const bed = await hubBed(t)
  const verifier = await bed.verifier()
  const asked = bed.asked.length
  const other = authority('other')
  assert.equal(outcome(await verifier.judge(null)), 'certificate-missing')
  assert.equal(outcome(await verifier.judge(client('pump-7', other).der)), 'certificate-foreign-authority')
  assert.equal(bed.asked.length, asked)
  const own = derOf(bed.shown)
  assert.equal(outcome(await verifier.judge(own)), 'verify-kind-outside')
  const forServices = await bed.verifier({ kinds: ['service'] })
  assert.equal(outcome(await forServices.judge(own)), 'shop')
  const server = derOf(await service(bed, 'web', 'server'))
  assert.equal(outcome(await verifier.judge(server)), 'certificate-wrong-usage')
})

test('once the hub is silent for longer than is stated, nobody comes in; then it all comes back', async (t) => {
  const bed = await hubBed(t)
  const pump = await device(bed, 'pump-7')
  const late = await device(bed, 'late-1')
  let monotonicMs = 0
  const warnings: unknown[] = []
  const verifier = await bed.verifier({
    ...{ staleSec: 60, monotonicMs: () => monotonicMs, warn: (error) => warnings.push(error) },
  })
  const judged = async (der: Uint8Array) => outcome(await verifier.judge(der))
  assert.equal(await judged(pump.credential.certificate), 'pump-7')
  bed.silent = true
  bed.changes.stop()
  await until(t.signal, async () => warnings.length > 0)
  assert.ok(warnings[0] instanceof HubError && warnings[0].code === 'verify-hub-silent')
  monotonicMs += 60_000
  assert.equal(await judged(pump.credential.certificate), 'pump-7', 'what was asked before counts for a minute')
  assert.equal(await judged(late.credential.certificate), 'verify-hub-silent')
  monotonicMs += 1
  assert.equal(await judged(pump.credential.certificate), 'verify-hub-stale')
  bed.silent = false
  await until(t.signal, async () => (await judged(pump.credential.certificate)) === 'pump-7')
})

test('who is told of silence and throws does not end the questions to the hub, and what it threw is not hidden', async (t) => {
  const thrown: unknown[] = []
  process.setUncaughtExceptionCaptureCallback((error) => thrown.push(error))
  t.after(() => process.setUncaughtExceptionCaptureCallback(null))
  const bed = await hubBed(t)
  const pump = await device(bed, 'pump-7')
  let monotonicMs = 0
  const verifier = await bed.verifier({
    ...{ staleSec: 60, monotonicMs: () => monotonicMs },
    warn: () => {
      throw new Error('of the server')
    },
  })
  bed.silent = true
  bed.changes.stop()
  await until(t.signal, async () => thrown.length > 0)
  monotonicMs += 61_000
  bed.silent = false
  await until(t.signal, async () => outcome(await verifier.judge(pump.credential.certificate)) === 'pump-7')
  assert.equal(String(thrown[0]), 'Error: of the server')
})

test('what changed while the hub did not answer is known before anybody comes in again', async (t) => {
  const bed = await hubBed(t)
  const pump = await device(bed, 'pump-7')
  let monotonicMs = 0
  const verifier = await bed.verifier({ staleSec: 60, monotonicMs: () => monotonicMs })
  assert.equal(outcome(await verifier.judge(pump.credential.certificate)), 'pump-7')
  bed.silent = true
  monotonicMs += 61_000
  await revokeDevice(bed.hub, bed.hub.actor, parseIdentityId('pump-7'), 'unspecified')
  assert.equal(outcome(await verifier.judge(pump.credential.certificate)), 'verify-hub-stale')
  bed.silent = false
  const seen = new Set<string>()
  await until(t.signal, async () => {
    seen.add(outcome(await verifier.judge(pump.credential.certificate)))
    return seen.has('certificate-revoked')
  })
  assert.deepEqual([...seen].sort(), ['certificate-revoked', 'verify-hub-stale'])
})

test('only a service that is granted to be a verifier is answered, and no more once it is not', async (t) => {
  const bed = await hubBed(t)
  const pump = await device(bed, 'pump-7')
  const web = await service(bed, 'web', 'device')
  const start = (shown: Parameters<typeof bed.connection>[0]) => bed.verifier({ connection: bed.connection(shown) })
  await assert.rejects(start(shownBy(pump.key, pump.credential.certificate)), { code: 'verify-not-granted' })
  await assert.rejects(start(web), { code: 'verify-not-granted' })
  await assert.rejects(start(null), { code: 'certificate-missing' })
  assert.deepEqual(
    bed.attempts.map(({ code, identityId }) => [code, identityId]),
    [
      ['verify-not-granted', 'pump-7'],
      ['verify-not-granted', 'web'],
      ['certificate-missing', null],
    ],
  )
  const id = parseIdentityId('shop')
  await editIdentity(bed.hub, bed.hub.actor, { kind: 'service', id }, { profiles: ['server'] }, null)
  await assert.rejects(start(bed.shown), { code: 'verify-not-granted' })
})

test('strangers who ask again and again are slowed down, and who is known is not', async (t) => {
  const bed = await hubBed(t)
  const stranger = ownCertificate('shop')
  const key = stranger.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const guessing = bed.connection({ key, cert: stranger.pem })
  for (let count = 0; count < limits.authFailuresPerMinuteMax; count += 1) {
    await assert.rejects(guessing.ask('/verifier/policy', 5_000), { code: 'certificate-self-signed' })
  }
  await assert.rejects(guessing.ask('/verifier/policy', 5_000), { code: 'rate-limited' })
  await bed.connection().ask('/verifier/policy', 5_000)
  const web = bed.connection(await service(bed, 'web', 'device'))
  await assert.rejects(web.ask('/verifier/policy', 5_000), { code: 'verify-not-granted' })
})

test('questions that are none are refused with what would be one', async (t) => {
  const bed = await hubBed(t)
  const connection = bed.connection()
  const ask = (path: string) => connection.ask(`/verifier/${path}`, 5_000)
  const one = 'ab'.repeat(32)
  for (const query of [
    '',
    '?sha256=',
    '?sha256=ab',
    `?sha256=${one.toUpperCase()}`,
    `?sha256=${Array(65).fill(one)}`,
  ]) {
    await assert.rejects(ask(`certificates${query}`), { code: 'request-invalid' }, query)
  }
  for (const wait of ['21', '-1', '1.5', 'x', '9999']) {
    await assert.rejects(ask(`changes?wait=${wait}`), { code: 'request-invalid' }, wait)
  }
  assert.deepEqual(await ask(`certificates?sha256=${one}`), {
    position: bed.changes.position(),
    answers: [
      {
        ...{ admitted: false, code: 'certificate-unknown-serial', identityId: null },
        sentence: `the registry does not hold the certificate with the SHA-256 ${one}`,
      },
    ],
  })
})

test('settings that cannot be are refused before anything is asked', async () => {
  const hub = { host: 'localhost', tls: () => ({ ca: '', cert: '', key: '' }) }
  for (const options of [{ staleSec: limits.verifyStaleSecMin - 1 }, { staleSec: Number.NaN }, { kinds: [] }]) {
    await assert.rejects(verifyByHub({ hub, ...options }), { code: 'verify-settings-invalid' })
  }
  await assert.rejects(verifyByHub({ hub, kinds: ['robot' as never] }), { code: 'verify-settings-invalid' })
  await assert.rejects(verifyByHub({ hub, policy: 'x: y' }), { code: 'policy-invalid' })
})

/** A socket of a TLS server as far as a verifier looks at one. */
function socketOf(der: Uint8Array): Parameters<Verifier['watch']>[0] {
  const [socket] = duplexPair()
  return Object.assign(socket, { getPeerX509Certificate: () => ({ raw: Buffer.from(der) }) }) as never
}

async function until(signal: AbortSignal, isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) {
    signal.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

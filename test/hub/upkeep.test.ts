/** What the hub does by itself: CRLs, its own certificate, attempts, events. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { HubError } from '../../src/core/errors.ts'
import { limits } from '../../src/core/limits.ts'
import { Secret } from '../../src/core/secret.ts'
import { readCertificate } from '../../src/core/x509/certificate.ts'
import { decodePem } from '../../src/core/x509/pem.ts'
import { authenticateApiKey, createApiKey } from '../../src/hub/api-keys.ts'
import { revokeCertificate, revokeDevice } from '../../src/hub/change-identity.ts'
import { createChain } from '../../src/hub/create-chain.ts'
import { enrol } from '../../src/hub/enrol.ts'
import { establishAuthorities } from '../../src/hub/establish-authorities.ts'
import { FailureLimiter } from '../../src/hub/failure-limiter.ts'
import { followEvents } from '../../src/hub/follow-events.ts'
import { peerAddress, sourceOf } from '../../src/hub/peer-address.ts'
import type { NewAttempt } from '../../src/hub/ports/attempts.ts'
import { fullCrl } from '../../src/hub/ports/crls.ts'
import type { HubEvent } from '../../src/hub/ports/events.ts'
import type { Store } from '../../src/hub/ports/store.ts'
import { crlLifetimeMs, crlRefreshMs, currentCrl, fullScope, publishCrl } from '../../src/hub/publish-crl.ts'
import { attemptRecorder } from '../../src/hub/record-attempts.ts'
import { keepCrlsFresh } from '../../src/hub/refresh-crls.ts'
import { keepServerCertificate } from '../../src/hub/renew-server-certificate.ts'
import { currentServerCertificate } from '../../src/hub/server-certificate.ts'
import { deviceRequest, hubParts, noonMs, registered, StandingClock } from '../support/hub-parts.ts'

test('CRL numbers only grow, also when the clock goes back', async (t) => {
  const hub = await hubParts(t)
  const first = await publishCrl(hub, fullScope(hub.issuing.id))
  hub.clock.advance(-3_600_000)
  const second = await publishCrl(hub, fullScope(hub.issuing.id))
  assert.equal(second.number, first.number + 1n)
  hub.clock.advance(7_200_000)
  assert.equal((await publishCrl(hub, fullScope(hub.issuing.id))).number, BigInt(hub.clock.nowMs()))
})

test('a CRL is made anew long before it ends, and served as it is until then', async (t) => {
  const hub = await hubParts(t)
  const first = await currentCrl(hub, fullScope(hub.issuing.id))
  assert.equal(first.nextUpdateMs - noonMs, crlLifetimeMs)
  hub.clock.advance(crlRefreshMs - 1)
  assert.equal((await currentCrl(hub, fullScope(hub.issuing.id))).number, first.number)
  hub.clock.advance(1)
  assert.ok((await currentCrl(hub, fullScope(hub.issuing.id))).number > first.number)
})

test('an authority that does not exist has no CRL', async (t) => {
  const hub = await hubParts(t)
  await assert.rejects(currentCrl(hub, fullScope('root-../../x')), { code: 'not-found' })
})

test('a hub whose clock is before the birth of its root refuses to start', async (t) => {
  const hub = await hubParts(t)
  hub.clock.advance(-86_400_000)
  await assert.rejects(establishAuthorities(hub), { code: 'clock-before-authority' })
})

test('the server certificate is kept until two thirds of its life, or until it lacks a name', async (t) => {
  const hub = await hubParts(t)
  const names = { dnsNames: ['hub.plant.example'], ipAddresses: ['127.0.0.1'] }
  const first = await currentServerCertificate(hub, names)
  assert.equal((await currentServerCertificate(hub, names)).chain, first.chain)

  const more = { ...names, ipAddresses: ['127.0.0.1', '10.3.0.11'] }
  const wider = await currentServerCertificate(hub, more)
  assert.notEqual(wider.chain, first.chain)
  const [leaf] = decodePem(wider.chain)
  assert.deepEqual(leaf === undefined ? [] : readCertificate(leaf.der).ipAddresses, more.ipAddresses)

  hub.clock.advance(wider.renewAtSec * 1000 - hub.clock.nowMs())
  const renewed = await currentServerCertificate(hub, more)
  assert.ok(renewed.notAfterSec > wider.notAfterSec)
})

test('a chain beside the main one that has ended takes nothing from the clients of the main one', async (t) => {
  const hub = await hubParts(t)
  const names = { dnsNames: ['hub.plant.example'], ipAddresses: [] }
  const longAgo = { ...hub, clock: new StandingClock(noonMs - 30 * 365 * 86_400_000) }
  await createChain(longAgo, hub.actor, { chain: 'rsa', keyType: 'RSA-2048' })
  const served = await currentServerCertificate(hub, names)
  assert.equal(served.forRsa, null)
  assert.equal((await currentServerCertificate(hub, names)).chain, served.chain)
  assert.ok(hub.log.lines.some(({ level, fields }) => level === 'error' && fields.chain === 'rsa'))
})

test('a revoked server certificate is replaced at once, with another key when its key is compromised', async (t) => {
  const hub = await hubParts(t)
  const names = { dnsNames: ['hub.plant.example'], ipAddresses: [] }
  const first = await currentServerCertificate(hub, names)
  const used: { key: Secret; chain: string }[] = []
  const renewal = keepServerCertificate(hub, first, {
    current: () => currentServerCertificate(hub, names),
    use: (certificate) => used.push(certificate),
  })
  t.after(renewal.stop)
  const revoke = async (chain: string, reason: 'superseded' | 'keyCompromise'): Promise<void> => {
    const [leaf] = decodePem(chain)
    assert.ok(leaf !== undefined)
    await revokeCertificate(hub, hub.actor, readCertificate(leaf.der).serialNumber, reason)
    await renewal.exchange()
  }
  await revoke(first.chain, 'superseded')
  assert.equal(used[0]?.key.reveal(), first.key.reveal())
  await revoke(used[0]?.chain ?? '', 'keyCompromise')
  assert.equal(used.length, 2)
  assert.notEqual(used[1]?.key.reveal(), first.key.reveal())
})

test('revocations that a killed hub owed stand in the CRL of the next start', async (t) => {
  const hub = await hubParts(t)
  const { identity, tokenText } = await registered(hub, 'pump-7')
  const credential = await enrol(hub, { tokenText, claimedId: '', ...deviceRequest('pump-7') })
  const scope = { authorityId: credential.authorityId, shard: credential.crlShard ?? fullCrl }
  await publishCrl(hub, scope)
  await revokeDevice(hub, hub.actor, identity.id, 'keyCompromise')
  const crls = keepCrlsFresh(hub)
  await crls.stop()
  const { crl } = await currentCrl(hub, scope)
  assert.ok(Buffer.from(crl).toString('hex').includes(credential.serialNumber))
})

test('the way of a revocation into a CRL is timed from the act, and one that waits is told', async (t) => {
  const hub = await hubParts(t)
  const { identity, tokenText } = await registered(hub, 'pump-7')
  await enrol(hub, { tokenText, claimedId: '', ...deviceRequest('pump-7') })
  const crls = keepCrlsFresh(hub)
  assert.equal(crls.oldestOwedMs(), null)
  await revokeDevice(hub, hub.actor, identity.id, 'keyCompromise')
  const events = await hub.store.events.after(0, 100)
  const event = events.find(({ type }) => type === 'credential-revoked')
  assert.ok(event !== undefined)
  crls.noted(event)
  hub.clock.advance(250)
  crls.noted({ ...event, atMs: noonMs + 250 })
  assert.equal(crls.oldestOwedMs(), noonMs)
  hub.clock.advance(150)
  hub.observer.lines.length = 0
  await crls.stop()
  assert.deepEqual(hub.observer.lines, ['revocationApplied crl 400', 'revocationApplied crl 150'])
  assert.equal(crls.oldestOwedMs(), null)
  assert.equal(crls.datesOf(hub.issuing.id)?.nextUpdateMs, noonMs + 400 + crlLifetimeMs)
  assert.notEqual(crls.datesOf(hub.authorities.root().id), null)
})

test('a clock that ran ahead and was set right drops no revocation that still matters', async (t) => {
  const hub = await hubParts(t)
  const { identity, tokenText } = await registered(hub, 'pump-7')
  const credential = await enrol(hub, { tokenText, claimedId: '', ...deviceRequest('pump-7') })
  await revokeDevice(hub, hub.actor, identity.id, 'keyCompromise')
  hub.clock.advance(60 * 86_400_000)
  const ahead = await publishCrl(hub, fullScope(hub.issuing.id))
  hub.clock.advance(-60 * 86_400_000)
  const right = await currentCrl(hub, fullScope(hub.issuing.id))
  assert.ok(right.number > ahead.number)
  assert.ok(Buffer.from(right.crl).toString('hex').includes(credential.serialNumber))
})

test('a renewed server certificate is put to use once it is due, and not before', async (t) => {
  const hub = await hubParts(t)
  const names = { dnsNames: ['hub.plant.example'], ipAddresses: [] }
  const first = await currentServerCertificate(hub, names)
  const used: string[] = []
  const renewal = keepServerCertificate(hub, first, {
    current: () => currentServerCertificate(hub, names),
    use: ({ chain }) => used.push(chain),
  })
  t.after(renewal.stop)
  await renewal.look()
  assert.deepEqual(used, [])
  hub.clock.advance(first.renewAtSec * 1000 - hub.clock.nowMs())
  await renewal.look()
  assert.equal(used.length, 1)
  assert.notEqual(used[0], first.chain)
  assert.equal(renewal.inUse().chain, used[0])
  assert.deepEqual(
    hub.observer.lines.filter((line) => line.startsWith('renewal')),
    ['renewal server renewed'],
  )
})

test('a server certificate that cannot be renewed stays in use, and that is told', async (t) => {
  const hub = await hubParts(t)
  const first = await currentServerCertificate(hub, { dnsNames: ['hub.plant.example'], ipAddresses: [] })
  const renewal = keepServerCertificate(hub, first, {
    current: () => Promise.reject(new HubError('authority-expired', 'it has ended')),
    use: () => assert.fail('there is nothing to use'),
  })
  t.after(renewal.stop)
  await renewal.exchange()
  assert.equal(renewal.inUse(), first)
  assert.ok(hub.observer.lines.includes('renewal server failed'))
})

test('every event is handed over once and in order, those from before the follower started too', async (t) => {
  const hub = await hubParts(t)
  const { identity, tokenText } = await registered(hub, 'pump-7')
  const seen: HubEvent[] = []
  const last = new Promise<void>((resolve) => {
    const { stop } = followEvents(hub, 0, (event) => {
      seen.push(event)
      if (event.type === 'identity-state-changed') resolve()
    })
    t.after(stop)
  })
  await enrol(hub, { tokenText, claimedId: '', ...deviceRequest('pump-7') })
  await revokeDevice(hub, hub.actor, identity.id, 'keyCompromise')
  await last
  assert.deepEqual(
    seen.map(({ type }) => type),
    ['identity-registered', 'credential-issued', 'credential-revoked', 'identity-state-changed'],
  )
  assert.deepEqual(
    seen.map(({ number }) => number),
    seen.map(({ number }) => number).toSorted((a, b) => a - b),
  )
})

test('a handler that fails does not keep later events from being handed over', async (t) => {
  const hub = await hubParts(t)
  await registered(hub, 'a')
  await registered(hub, 'b')
  const seen: string[] = []
  await new Promise<void>((resolve) => {
    const { stop } = followEvents(hub, 0, (event) => {
      if (event.type !== 'identity-registered') return
      if (event.identityId === 'a') throw new Error('broken')
      seen.push(event.identityId)
      resolve()
    })
    t.after(stop)
  })
  assert.deepEqual(seen, ['b'])
  assert.deepEqual(
    hub.log.lines.map(({ message }) => message),
    ['an event could not be handled'],
  )
})

const attempt: NewAttempt = {
  atMs: noonMs,
  listener: 'mqtt',
  address: '127.0.0.1',
  stage: 'tls',
  outcome: 'refused',
  code: 'tls-closed-early',
  sentence: 'closed',
  identityId: null,
  clientId: null,
  tlsVersion: null,
  mqttVersion: null,
  certificate: null,
}

test('a flood of attempts is counted, not kept', async (t) => {
  const hub = await hubParts(t)
  const recorder = attemptRecorder(hub)
  for (let i = 0; i < limits.attemptsPerSecondMax + 50; i += 1) recorder.record(attempt)
  await recorder.stop()
  let kept = 0
  for (let after: string | null = null; ; ) {
    const page = await hub.store.attempts.list({ after, limit: 1_000, order: 'oldest' })
    kept += page.items.length
    after = page.next
    if (after === null) break
  }
  assert.equal(kept, limits.attemptsPerSecondMax)
  const told = (line: string): number => hub.observer.lines.filter((each) => each === line).length
  assert.equal(told('attempt mqtt refused tls tls-closed-early'), limits.attemptsPerSecondMax + 50)
  assert.equal(told('attemptDropped'), 50)
  const warnings = hub.log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)
  assert.deepEqual(warnings, ['attempts were not recorded because there were too many'])
  const { items } = await hub.store.cases.list({ after: null, limit: 10 })
  assert.deepEqual(
    items.map(({ count, party }) => [count, party.name]),
    [[limits.attemptsPerSecondMax + 50, '127.0.0.1']],
  )
})

test('attempts become cases as they are written, and whoever came in since is noted', async (t) => {
  const hub = await hubParts(t)
  hub.clock.advance(1_000)
  const recorder = attemptRecorder(hub)
  const own: NewAttempt = { ...attempt, stage: 'identity', code: 'identity-disabled', identityId: 'pump-7' }
  recorder.record(own)
  await recorder.flush()
  recorder.record({ ...own, atMs: noonMs + 1 })
  recorder.record({ ...own, atMs: noonMs + 2, outcome: 'admitted', stage: 'session', code: null })
  recorder.record({ ...own, atMs: noonMs + 3, code: 'client-id-invalid' })
  await recorder.stop()
  const { items } = await hub.store.cases.list({ after: null, limit: 10 })
  assert.deepEqual(
    items.map(({ code, count, admittedAtMs }) => [code, count, admittedAtMs]),
    [
      ['client-id-invalid', 1, null],
      ['identity-disabled', 2, null],
    ],
  )
  const later = attemptRecorder(hub)
  later.record({ ...own, atMs: noonMs + 4, outcome: 'admitted', stage: 'session', code: null })
  await later.stop()
  const { items: mended } = await hub.store.cases.list({ after: null, limit: 10 })
  assert.deepEqual(
    mended.map(({ admittedAtMs }) => admittedAtMs),
    [noonMs + 4, noonMs + 4],
  )
})

test('attempts wait in bounded number for a registry that stands still, and those that waited are kept', async (t) => {
  const hub = await hubParts(t)
  const goingOn = Promise.withResolvers<void>()
  const { write } = hub.store
  const store: Store = {
    ...hub.store,
    async write(work) {
      await goingOn.promise
      return write(work)
    },
  }
  const recorder = attemptRecorder({ ...hub, store })
  const seconds = Math.ceil((2 * limits.attemptsWaitingMax) / limits.attemptsPerSecondMax) + 1
  const flushes: Promise<void>[] = []
  for (let second = 0; second < seconds; second += 1) {
    for (let i = 0; i < limits.attemptsPerSecondMax; i += 1) recorder.record(attempt)
    flushes.push(recorder.flush())
    await nextTurn()
    hub.clock.advance(1_000)
  }
  const dropped = hub.observer.lines.filter((each) => each === 'attemptDropped').length
  const taken = seconds * limits.attemptsPerSecondMax - dropped
  assert.ok(taken <= limits.attemptsWaitingMax + limits.attemptsPerSecondMax, `${taken} attempts were held`)
  goingOn.resolve()
  await Promise.all(flushes)
  const { items } = await hub.store.attempts.list({ after: null, limit: 1, order: 'newest' })
  assert.equal(items[0]?.number, taken)
})

test('an attempt that cannot be kept does not take those beside it along', async (t) => {
  const hub = await hubParts(t)
  const recorder = attemptRecorder(hub)
  recorder.record(attempt)
  recorder.record({ ...attempt, address: null as unknown as string })
  recorder.record({ ...attempt, address: '10.0.0.9' })
  await recorder.stop()
  const { items } = await hub.store.attempts.list({ after: null, limit: 10, order: 'oldest' })
  assert.deepEqual(
    items.map(({ address }) => address),
    ['127.0.0.1', '10.0.0.9'],
  )
})

test('only failures count against an address, and only for a minute', () => {
  const clock = new StandingClock(noonMs)
  const limiter = new FailureLimiter(clock)
  const isLimited = (error: unknown): boolean => error instanceof HubError && error.code === 'rate-limited'
  for (let i = 0; i < limits.authFailuresPerMinuteMax; i += 1) limiter.recordFailure('10.0.0.1')
  assert.throws(() => limiter.recordFailure('10.0.0.1'), isLimited)
  limiter.recordFailure('10.0.0.2')
  clock.advance(60_000)
  limiter.recordFailure('10.0.0.1')
  clock.advance(-365 * 86_400_000)
  assert.throws(() => limiter.recordFailure('10.0.0.1'), isLimited)
  clock.advance(60_000)
  for (let i = 0; i < limits.authFailuresPerMinuteMax; i += 1) limiter.recordFailure('10.0.0.1')
  clock.advance(60_000)
  limiter.recordFailure('10.0.0.1')
})

test('one spelling stands for an address, and a whole IPv6 site counts as one', () => {
  assert.equal(peerAddress('::ffff:10.0.0.1'), '10.0.0.1')
  assert.equal(peerAddress(undefined), 'unknown')
  assert.equal(sourceOf('10.0.0.1'), '10.0.0.1')
  assert.equal(sourceOf('2001:db8::7'), sourceOf('2001:db8:0:0:ffff::1'))
  assert.notEqual(sourceOf('2001:db8:0:1::7'), sourceOf('2001:db8::7'))
})

test('an API key is shown once, kept as a hash, and compared whole', async (t) => {
  const hub = await hubParts(t)
  const key = await createApiKey(hub, 'admin')
  const text = key.reveal()
  assert.equal((await authenticateApiKey(hub, key)).actor, 'key:admin')
  await assert.rejects(authenticateApiKey(hub, null), { code: 'key-missing' })
  for (const bad of ['', 'x', text.slice(0, -1), `${text.slice(0, 17)}${'A'.repeat(43)}`]) {
    await assert.rejects(authenticateApiKey(hub, new Secret(bad)), { code: 'key-invalid' })
  }
  const row = await hub.store.apiKeys.find(text.slice(0, 16))
  assert.equal(row?.secretHash.length, 32)
})

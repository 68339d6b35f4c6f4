/** Renewal in two phases: what a holder is given, what it takes the place of and when, and what raises an alarm. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeKey } from '../../src/device/certificate-request.ts'
import { changeDeviceState, revokeCertificate, revokeDevice } from '../../src/hub/change-identity.ts'
import { endLapsedNow, endOverlapsNow } from '../../src/hub/end-overlaps.ts'
import { enrol } from '../../src/hub/enrol.ts'
import { grantToken } from '../../src/hub/register-device.ts'
import { registryRenewal } from '../../src/hub/renew.ts'
import { RenewalBed } from '../support/renewal-bed.ts'

const dayMs = 86_400_000

test('a successor waits for its first use, and until then the present certificate is what it was', async (t) => {
  const { bed, first } = await RenewalBed.start(t)
  bed.wait(6 * dayMs)
  const key = makeKey()
  const next = await bed.renew(first, key)
  assert.deepEqual([next.state, next.parentSerial, next.tokenId], ['pending', first.serialNumber, null])
  assert.ok(next.notAfterSec > first.notAfterSec)
  assert.equal(await bed.connect(first), 'active')
  assert.equal(await bed.stateOf(first), 'active')
  assert.equal(await bed.connect(next), 'active')
  assert.equal(await bed.stateOf(first), 'superseded')
  assert.deepEqual(await bed.contests(), [])
})

test('an answer that was lost costs nothing: the same key gets the same certificate, and the old one opens every door', async (t) => {
  const { bed, first } = await RenewalBed.start(t)
  bed.wait(6 * dayMs)
  const key = makeKey()
  const lost = await bed.renew(first, key)
  bed.wait(3_600_000)
  const again = await bed.renew(first, key)
  assert.deepEqual(again, lost)
  assert.equal(await bed.connect(first), 'active')
  assert.equal(await bed.connect(again), 'active')
})

test('a client that keeps its key and sends the same request each period gets a later end each time', async (t) => {
  const { bed, key, first } = await RenewalBed.start(t)
  let current = first
  const ends = [first.notAfterSec]
  for (let renewals = 0; renewals < 5; renewals += 1) {
    bed.wait(6 * dayMs)
    const next = await bed.renew(current, key)
    assert.equal((await bed.renew(current, key)).serialNumber, next.serialNumber)
    assert.equal(await bed.connect(next), 'active')
    current = next
    ends.push(next.notAfterSec)
  }
  assert.deepEqual(
    ends,
    [...new Set(ends)].sort((a, b) => a - b),
  )
  assert.deepEqual(await bed.contests(), [])
})

test('a confirmation over EST is a first use as good as a connection', async (t) => {
  const { bed, first } = await RenewalBed.start(t)
  const next = await bed.renew(first, makeKey())
  assert.equal(await bed.confirm(next), 'active')
  assert.equal(await bed.stateOf(first), 'superseded')
})

test('whoever renews a certificate has it: a pending one that renews has been used', async (t) => {
  const { bed, first } = await RenewalBed.start(t)
  const second = await bed.renew(first, makeKey())
  const third = await bed.renew(second, makeKey())
  assert.deepEqual([await bed.stateOf(first), await bed.stateOf(second)], ['superseded', 'active'])
  assert.deepEqual([third.state, third.parentSerial], ['pending', second.serialNumber])
})

test('a thief and an owner who both renew raise an alarm, whoever is first', async (t) => {
  const { bed, first } = await RenewalBed.start(t)
  bed.wait(6 * dayMs)
  const from = await bed.hub.store.events.last()
  const [owners, thiefs] = [makeKey(), makeKey()]
  const toOwner = await bed.renew(first, owners)
  const toThief = await bed.renew(first, thiefs)
  assert.equal(await bed.connect(toOwner), 'certificate-revoked')
  assert.deepEqual(await bed.events(from), [
    'credential-issued',
    'credential-revoked',
    'credential-issued',
    'renewal-contested',
  ])
  const [contest] = await bed.contests()
  assert.deepEqual(
    [contest?.parentSerial, contest?.rivalSerial, contest?.serialNumber],
    [first, toOwner, toThief].map(({ serialNumber }) => serialNumber),
  )
  assert.ok(bed.hub.observer.lines.includes('renewalContested device'))
  const [attempt] = bed.attempts
  assert.deepEqual(
    [attempt?.code, attempt?.outcome, attempt?.identityId, attempt?.address],
    ['renewal-contested', 'admitted', 'pump-7', '192.0.2.7'],
  )
  assert.ok(bed.hub.log.lines.some(({ level, message }) => level === 'warn' && message.includes('two keys')))
  // The owner still has what it had, and asks again: the alarm is raised again.
  assert.equal(await bed.connect(first), 'active')
  await bed.renew(first, owners)
  assert.equal((await bed.contests()).length, 2)
})

test('a thief who has renewed and connects leaves the owner a day in its overlap, and the owner who renews then raises the alarm', async (t) => {
  const { bed, first } = await RenewalBed.start(t)
  bed.wait(6 * dayMs)
  const stolen = await bed.renew(first, makeKey())
  assert.equal(await bed.connect(stolen), 'active')
  assert.equal(await bed.connect(first), 'superseded')
  const owners = await bed.renew(first, makeKey())
  assert.equal(owners.state, 'quarantined')
  assert.equal((await bed.contests())[0]?.rivalSerial, stolen.serialNumber)
  assert.equal(await bed.stateOf(stolen), 'active')
})

test('a device that fell back to its older certificate with the key of the newer one is no contest; it waits in quarantine', async (t) => {
  const { bed, first } = await RenewalBed.start(t)
  const key = makeKey()
  const next = await bed.renew(first, key)
  await bed.connect(next)
  const held = await bed.renew(first, key)
  assert.equal(held.state, 'quarantined')
  assert.notEqual(held.serialNumber, next.serialNumber)
  assert.deepEqual(await bed.contests(), [])
})

test('two requests with two keys that come at once are one after the other: one is replaced, and the alarm is raised', async (t) => {
  const { bed, first } = await RenewalBed.start(t)
  const given = await Promise.all([bed.renew(first, makeKey()), bed.renew(first, makeKey())])
  const states = await Promise.all(given.map((credential) => bed.stateOf(credential)))
  assert.deepEqual(states.sort(), ['pending', 'revoked'])
  assert.equal((await bed.contests()).length, 1)
})

test('the same request that comes twice at once has one answer', async (t) => {
  const { bed, first } = await RenewalBed.start(t)
  const key = makeKey()
  const [one, other] = await Promise.all([bed.renew(first, key), bed.renew(first, key)])
  assert.equal(one.serialNumber, other.serialNumber)
  assert.deepEqual(await bed.contests(), [])
})

test('keys that the hub makes are handed out once: an answer that was lost is revoked and made anew, without an alarm', async (t) => {
  const { bed, first } = await RenewalBed.start(t)
  const lost = await bed.renew(first, makeKey(), null, 'hub')
  const again = await bed.renew(first, makeKey(), null, 'hub')
  assert.equal(lost.keyOrigin, 'hub')
  assert.deepEqual([await bed.stateOf(lost), await bed.stateOf(again)], ['revoked', 'pending'])
  assert.deepEqual(await bed.contests(), [])
})

test('a superseded certificate renews into quarantine in its overlap, and not at all behind it', async (t) => {
  const { bed, first } = await RenewalBed.start(t)
  const key = makeKey()
  await bed.connect(await bed.renew(first, key))
  bed.wait(dayMs - 1)
  const held = await bed.renew(first, key)
  assert.equal(held.state, 'quarantined')
  assert.equal(await bed.connect(held), 'quarantined')
  bed.wait(1)
  await assert.rejects(bed.renew(first, key), { code: 'certificate-superseded' })
})

test('renewing in quarantine leads to nothing but quarantine, where the newer one ends the older', async (t) => {
  const { bed, first } = await RenewalBed.start(t)
  const key = makeKey()
  await bed.connect(await bed.renew(first, key))
  const held = await bed.renew(first, key)
  await bed.connect(held)
  const next = await bed.renew(held, key)
  assert.equal(next.state, 'quarantined')
  assert.equal(await bed.connect(next), 'quarantined')
  assert.equal(await bed.stateOf(held), 'revoked')
})

test('after its end a certificate is renewed for thirty days, with its own key, into quarantine', async (t) => {
  const { bed, key, first } = await RenewalBed.start(t)
  bed.wait((first.notAfterSec + 1) * 1000 - bed.hub.clock.nowMs())
  assert.equal(await bed.connect(first), 'certificate-expired')
  await assert.rejects(bed.renew(first, makeKey()), { code: 'renewal-key-changed' })
  const held = await bed.renew(first, key)
  assert.equal(held.state, 'quarantined')
  assert.equal((await bed.renew(first, key)).serialNumber, held.serialNumber)
  bed.wait(30 * dayMs - 1)
  assert.equal((await bed.renew(first, key)).state, 'quarantined')
  bed.wait(1)
  await assert.rejects(bed.renew(first, key), { code: 'certificate-expired' })
})

test('after its end a certificate that was superseded or revoked is never renewed', async (t) => {
  const { bed, key, first } = await RenewalBed.start(t)
  const second = await bed.renew(first, makeKey())
  await bed.connect(second)
  bed.wait((first.notAfterSec + 1) * 1000 - bed.hub.clock.nowMs())
  await assert.rejects(bed.renew(first, key), { code: 'certificate-superseded' })
  await revokeCertificate(bed.hub, bed.hub.actor, second.serialNumber, 'unspecified')
  await assert.rejects(bed.renew(second, key), { code: 'certificate-revoked' })
})

test('a device that is disabled, retired or waits renews nothing', async (t) => {
  const { bed, key, first } = await RenewalBed.start(t)
  await changeDeviceState(bed.hub, bed.hub.actor, bed.id, 'disabled')
  await assert.rejects(bed.renew(first, key), { code: 'identity-disabled' })
  await changeDeviceState(bed.hub, bed.hub.actor, bed.id, 'retired')
  await assert.rejects(bed.renew(first, key), { code: 'certificate-revoked' })
})

test('a revocation that comes while the successor is being signed leaves nothing that is good', async (t) => {
  const { bed, first } = await RenewalBed.start(t)
  const renewal = bed.renew(first, makeKey())
  const revocation = revokeDevice(bed.hub, bed.hub.actor, bed.id, 'keyCompromise')
  await Promise.allSettled([renewal, revocation])
  await revocation
  const { items } = await bed.hub.store.credentials.listOfIdentity(bed.id, { after: null, limit: 9 })
  assert.deepEqual(new Set(items.map(({ state }) => state)), new Set(['revoked']))
})

test('an attacker renews what it stole; the owner revokes the old serial number, and what descends from it is gone at once', async (t) => {
  const { bed, first } = await RenewalBed.start(t)
  let current = first
  for (let renewals = 0; renewals < 3; renewals += 1) {
    bed.wait(2 * dayMs)
    const next = await bed.renew(current, makeKey())
    await bed.connect(next)
    await endOverlapsNow(bed.hub)
    current = next
  }
  const pending = await bed.renew(current, makeKey())
  assert.equal(await bed.stateOf(first), 'revoked')
  const { revoked } = await revokeCertificate(bed.hub, bed.hub.actor, first.serialNumber, 'keyCompromise')
  // The old one itself, whose reason is corrected, what is in its overlap, what is in use, and what was only handed out.
  assert.equal(revoked.length, 4)
  for (const credential of [current, pending]) {
    assert.equal(await bed.connect(credential), 'certificate-revoked')
    await assert.rejects(bed.renew(credential, makeKey()), { code: 'certificate-revoked' })
  }
})

test('superseded and cessation of operation leave what was renewed alone, and a token begins a new lineage', async (t) => {
  const { bed, first } = await RenewalBed.start(t)
  const next = await bed.renew(first, makeKey())
  await bed.connect(next)
  await revokeCertificate(bed.hub, bed.hub.actor, first.serialNumber, 'cessationOfOperation')
  assert.equal(await bed.connect(next), 'active')

  const { tokenText } = await grantToken(bed.hub, bed.hub.actor, bed.id, 3_600)
  const fresh = await enrol(bed.hub, { tokenText, claimedId: '', certificateRequest: bed.csr(makeKey()) })
  assert.equal(fresh.parentSerial, null)
  await revokeCertificate(bed.hub, bed.hub.actor, first.serialNumber, 'keyCompromise')
  assert.equal(await bed.connect(next), 'certificate-revoked')
  assert.equal(await bed.connect(fresh), 'active')
})

test('a key that was called compromised is not taken again', async (t) => {
  const { bed, key, first } = await RenewalBed.start(t)
  const { tokenText } = await grantToken(bed.hub, bed.hub.actor, bed.id, 3_600)
  const fresh = await enrol(bed.hub, { tokenText, claimedId: '', certificateRequest: bed.csr(makeKey()) })
  await bed.connect(fresh)
  await revokeCertificate(bed.hub, bed.hub.actor, first.serialNumber, 'keyCompromise')
  await assert.rejects(bed.renew(fresh, key), { code: 'renewal-key-compromised' })
})

test('a request that asks for another name is refused, and no label reaches what is not granted', async (t) => {
  const { bed, first } = await RenewalBed.start(t)
  const renewal = registryRenewal({ ...bed.hub, attempts: { record() {} } })
  const order = { credential: first, label: null, keyOrigin: 'holder' } as const
  await assert.rejects(renewal.renew({ ...order, certificateRequest: bed.csr(makeKey(), 'pump-8') }), {
    code: 'renewal-names-differ',
  })
  await assert.rejects(bed.renew(first, makeKey(), 'server'), { code: 'profile-not-granted' })
  await assert.rejects(bed.renew(first, makeKey(), 'root'), { code: 'profile-not-granted' })
  await assert.rejects(bed.renew(first, makeKey(), 'no such'), { code: 'profile-not-granted' })
  await assert.rejects(renewal.renew({ ...order, certificateRequest: new Uint8Array([1, 2]) }), {
    code: 'csr-unreadable',
  })
})

test('profile and grants are those of now: what was taken from a device is not renewed', async (t) => {
  const { bed, first } = await RenewalBed.start(t)
  await bed.hub.store.write(async (tx) => {
    const identity = await tx.identities.find(bed.id)
    assert.ok(identity !== null)
    await tx.identities.update({ ...identity, profiles: ['server'] })
  })
  await assert.rejects(bed.renew(first, makeKey()), { code: 'profile-not-granted' })
  assert.equal(await bed.connect(first), 'active')
})

test('a successor that nobody comes to use lapses, and the device goes on with what it has', async (t) => {
  const { bed, first } = await RenewalBed.start(t)
  bed.wait(dayMs)
  const key = makeKey()
  const forgotten = await bed.renew(first, key)
  bed.wait(7 * dayMs)
  assert.equal(await bed.connect(forgotten), 'certificate-lapsed')
  const next = await bed.renew(first, key)
  assert.notEqual(next.serialNumber, forgotten.serialNumber)
  assert.equal(await bed.stateOf(forgotten), 'revoked')
  assert.equal(await endLapsedNow(bed.hub), 0)
  assert.equal(await bed.connect(next), 'active')
})

test('the certificates of the hub itself are not renewed over EST', async (t) => {
  const { bed } = await RenewalBed.start(t)
  const { currentServerCertificate } = await import('../../src/hub/server-certificate.ts')
  const { decodePem } = await import('../../src/core/x509/pem.ts')
  const { chain } = await currentServerCertificate(bed.hub, { dnsNames: ['hub.plant.example'], ipAddresses: [] })
  const own = await registryRenewal({ ...bed.hub, attempts: { record() {} } }).judge(decodePem(chain)[0]?.der ?? null)
  assert.ok(own.admitted)
  await assert.rejects(bed.renew(own.credential, makeKey()), { code: 'certificate-wrong-usage' })
})

/** What a registry that was restored from an older copy gets back from its journal, and what waits for an operator. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditChainStart, firstBreak } from '../../src/core/audit/chain.ts'
import { HubError } from '../../src/core/errors.ts'
import type { Credential } from '../../src/core/identity/credential.ts'
import type { IdentityId } from '../../src/core/identity/id.ts'
import { limits } from '../../src/core/limits.ts'
import { deviceProfile } from '../../src/core/profile/built-in.ts'
import { certificateContent } from '../../src/core/profile/certificate-content.ts'
import { Secret } from '../../src/core/secret.ts'
import { readCrl, readCrlEntries } from '../../src/core/x509/crl-reader.ts'
import { adoptIdentity } from '../../src/hub/adopt.ts'
import { authenticateApiKey, createApiKey } from '../../src/hub/api-keys.ts'
import { openAuthorities } from '../../src/hub/authorities.ts'
import { changeDeviceState, revokeCertificate, revokeDevice } from '../../src/hub/change-identity.ts'
import { enrol } from '../../src/hub/enrol.ts'
import { findInJournal } from '../../src/hub/find-in-journal.ts'
import { hubIdentityId } from '../../src/hub/hub-credential.ts'
import { completeCredential, issueCredential } from '../../src/hub/issue-credential.ts'
import { fullCrl } from '../../src/hub/ports/crls.ts'
import type { Store, Transaction } from '../../src/hub/ports/store.ts'
import { type CrlScope, currentCrl, fullScope, publishCrl } from '../../src/hub/publish-crl.ts'
import { grantToken } from '../../src/hub/register-device.ts'
import { beginRollOver } from '../../src/hub/roll-over/begin.ts'
import { currentServerCertificate } from '../../src/hub/server-certificate.ts'
import { ecKey } from '../core/x509/support.ts'
import { deviceRequest, type HubParts, registered, statusBase } from '../support/hub-parts.ts'
import { TimeMachine } from '../support/time-machine.ts'

const actor = 'key:test'
const daySec = 86_400

function grant(hub: HubParts, id: IdentityId) {
  return grantToken(hub, actor, id, daySec)
}

test('what was revoked, disabled or retired after the copy is so again, and nothing else', async (t) => {
  const machine = await TimeMachine.start(t)
  const grants = []
  for (const id of ['kept', 'revoked', 'disabled', 'retired', 'corrected']) {
    grants.push(await registered(machine.hub, id))
  }
  const credentials = []
  for (const each of grants) credentials.push(await machine.connected(each))
  const [kept, revoked, disabled, retired, corrected] = credentials
  assert.ok(kept && revoked && disabled && retired && corrected)
  await revokeCertificate(machine.hub, actor, corrected.serialNumber, 'superseded')
  const copy = await machine.backUp()

  machine.hub.clock.advance(60_000)
  const revokedAtMs = machine.hub.clock.nowMs()
  await revokeCertificate(machine.hub, actor, revoked.serialNumber, 'keyCompromise')
  await changeDeviceState(machine.hub, actor, disabled.identityId, 'disabled')
  await changeDeviceState(machine.hub, actor, retired.identityId, 'retired')
  await revokeCertificate(machine.hub, actor, corrected.serialNumber, 'keyCompromise')
  machine.hub.clock.advance(60_000)

  const report = await machine.restore(copy)
  assert.deepEqual([report.credentialsRevoked, report.identitiesClosed], [3, 2])
  assert.deepEqual([report.identitiesWaiting, report.credentialsWaiting], [0, 0])
  assert.equal(await machine.verdict(kept), 'admitted')
  assert.equal(await machine.verdict(revoked), 'certificate-revoked')
  assert.equal(await machine.verdict(disabled), 'identity-disabled')
  assert.equal(await machine.verdict(retired), 'certificate-revoked')
  const { store } = machine.hub
  const again = await store.credentials.find(revoked.fingerprint)
  assert.deepEqual([again?.revokedAtMs, again?.revocationReason], [revokedAtMs, 'keyCompromise'])
  assert.equal((await store.credentials.find(corrected.fingerprint))?.revocationReason, 'keyCompromise')
  assert.equal((await store.identities.find(retired.identityId))?.state, 'retired')
})

test('a device that was disabled and enabled again after the copy stays as it is in the copy', async (t) => {
  const machine = await TimeMachine.start(t)
  const credential = await machine.connected(await registered(machine.hub, 'pump'))
  const copy = await machine.backUp()
  await changeDeviceState(machine.hub, actor, credential.identityId, 'disabled')
  await changeDeviceState(machine.hub, actor, credential.identityId, 'active')
  assert.equal((await machine.restore(copy)).identitiesClosed, 0)
  assert.equal(await machine.verdict(credential), 'admitted')
})

test('tokens that were used or ended, and API keys that were removed, do not come back', async (t) => {
  const machine = await TimeMachine.start(t)
  const used = await registered(machine.hub, 'used')
  const ended = await registered(machine.hub, 'ended')
  const open = await registered(machine.hub, 'open')
  const oldKey = await createApiKey(machine.hub, 'admin')
  const copy = await machine.backUp()
  const credential = await machine.enrolled(used)
  await grant(machine.hub, ended.identity.id)
  const newKey = await createApiKey(machine.hub, 'admin')

  const report = await machine.restore(copy)
  assert.deepEqual([report.tokensEnded, report.apiKeysRemoved], [2, 1])
  await assert.rejects(machine.enrolled(used), { code: 'token-used' })
  await assert.rejects(machine.enrolled(ended), { code: 'token-revoked' })
  assert.equal((await machine.enrolled(open)).state, 'pending')
  for (const key of [oldKey, newKey]) {
    await assert.rejects(authenticateApiKey(machine.hub, new Secret(key.reveal())), { code: 'key-invalid' })
  }
  assert.equal((await machine.hub.store.credentials.find(credential.fingerprint))?.state, 'unadopted')
})

test('a certificate that was issued after the copy is refused with a failure of its own until it is adopted', async (t) => {
  const machine = await TimeMachine.start(t)
  const first = await machine.connected(await registered(machine.hub, 'pump'))
  const copy = await machine.backUp()
  machine.hub.clock.advance(60_000)
  const second = await machine.connected(await grant(machine.hub, first.identityId))
  machine.hub.clock.advance(60_000)
  const third = await machine.connected(await grant(machine.hub, first.identityId))
  const report = await machine.restore(copy)
  assert.deepEqual([report.identitiesWaiting, report.credentialsWaiting], [1, 2])
  assert.equal(await machine.verdict(first), 'admitted')
  assert.equal(await machine.verdict(second), 'certificate-not-adopted')

  const { identity, credentials } = await adoptIdentity(machine.hub, actor, first.identityId)
  assert.equal(identity.version, 1)
  assert.deepEqual(
    credentials.map(({ fingerprint, state }) => [fingerprint, state]),
    [
      [second.fingerprint, 'superseded'],
      [third.fingerprint, 'active'],
    ],
  )
  for (const each of [first, second, third]) assert.equal(await machine.verdict(each), 'admitted')
  const active = await machine.hub.store.credentials.ofIdentityIn(first.identityId, ['active'])
  assert.deepEqual(
    active.map(({ fingerprint }) => fingerprint),
    [third.fingerprint],
  )
  await assert.rejects(adoptIdentity(machine.hub, actor, first.identityId), { code: 'nothing-to-adopt' })
})

test('a certificate that never was used is pending after its adoption, and its device gets it again', async (t) => {
  const machine = await TimeMachine.start(t)
  const { identity, tokenText } = await registered(machine.hub, 'pump')
  const copy = await machine.backUp()
  const request = { tokenText, claimedId: '', ...deviceRequest(identity.id) }
  const issued = await enrol(machine.hub, request)
  await machine.restore(copy)
  await assert.rejects(enrol(machine.hub, request), { code: 'token-used' })
  await adoptIdentity(machine.hub, actor, identity.id)
  assert.deepEqual((await enrol(machine.hub, request)).certificate, issued.certificate)
})

test('a device that was registered after the copy is pending, and its id taken, until it is adopted as it was last', async (t) => {
  const machine = await TimeMachine.start(t)
  const copy = await machine.backUp()
  const credential = await machine.connected(await registered(machine.hub, 'pump'))
  const idle = await registered(machine.hub, 'idle')
  const gone = await registered(machine.hub, 'gone')
  await changeDeviceState(machine.hub, actor, gone.identity.id, 'retired')

  const report = await machine.restore(copy)
  assert.deepEqual([report.identitiesWaiting, report.credentialsWaiting], [2, 1])
  assert.equal((await machine.hub.store.identities.find(idle.identity.id))?.state, 'pending')
  assert.equal(await machine.verdict(credential), 'certificate-not-adopted')
  await assert.rejects(registered(machine.hub, 'pump'), { code: 'identity-exists' })
  await assert.rejects(registered(machine.hub, 'gone'), { code: 'identity-exists', message: /retired/ })

  assert.equal((await adoptIdentity(machine.hub, actor, idle.identity.id)).identity.state, 'active')
  await adoptIdentity(machine.hub, actor, credential.identityId)
  assert.equal(await machine.verdict(credential), 'admitted')
  await assert.rejects(adoptIdentity(machine.hub, actor, gone.identity.id), { code: 'nothing-to-adopt' })
})

test('a device that was enabled after the copy is enabled by its adoption alone', async (t) => {
  const machine = await TimeMachine.start(t)
  const credential = await machine.connected(await registered(machine.hub, 'pump'))
  await changeDeviceState(machine.hub, actor, credential.identityId, 'disabled')
  const copy = await machine.backUp()
  await changeDeviceState(machine.hub, actor, credential.identityId, 'active')
  assert.equal((await machine.restore(copy)).identitiesWaiting, 1)
  assert.equal(await machine.verdict(credential), 'identity-disabled')
  await adoptIdentity(machine.hub, actor, credential.identityId)
  assert.equal(await machine.verdict(credential), 'admitted')
})

test('what was issued and revoked after the copy is revoked, and stands in the CRL', async (t) => {
  const machine = await TimeMachine.start(t)
  const { identity, tokenText } = await registered(machine.hub, 'pump')
  const copy = await machine.backUp()
  const credential = await machine.connected({ identity, tokenText } as never)
  await revokeDevice(machine.hub, actor, identity.id, 'keyCompromise')
  const report = await machine.restore(copy)
  assert.deepEqual([report.credentialsRevoked, report.credentialsWaiting], [1, 0])
  assert.equal(await machine.verdict(credential), 'certificate-revoked')
  // The shard that it names was opened after the copy too.
  const { crl } = await currentCrl(machine.hub, shardOf(credential))
  assert.ok(Buffer.from(crl).includes(Buffer.from(credential.serialNumber, 'hex')))
})

test('whoever is revoked or closed before the adoption stays so', async (t) => {
  const machine = await TimeMachine.start(t)
  const revoked = await registered(machine.hub, 'revoked')
  const disabled = await registered(machine.hub, 'disabled')
  const copy = await machine.backUp()
  const [first, second] = [await machine.connected(revoked), await machine.connected(disabled)]
  await machine.restore(copy)
  const change = await revokeDevice(machine.hub, actor, first.identityId, 'keyCompromise')
  assert.equal(change.revoked.length, 1)
  await changeDeviceState(machine.hub, actor, second.identityId, 'disabled')
  await assert.rejects(adoptIdentity(machine.hub, actor, first.identityId), { code: 'nothing-to-adopt' })
  await adoptIdentity(machine.hub, actor, second.identityId)
  assert.equal(await machine.verdict(first), 'certificate-revoked')
  assert.equal(await machine.verdict(second), 'identity-disabled')
})

test('numbers of CRLs and events never come back, and an old CRL is not served', async (t) => {
  const machine = await TimeMachine.start(t)
  const { issuing } = machine.hub
  const before = await machine.connected(await registered(machine.hub, 'pump'))
  const scopes = [fullScope(issuing.id), shardOf(before)]
  for (const scope of scopes) await publishCrl(machine.hub, scope)
  const copy = await machine.backUp()
  machine.hub.clock.advance(3_600_000)
  const newest = await Promise.all(scopes.map((scope) => publishCrl(machine.hub, scope)))
  await registered(machine.hub, 'pump-2')
  const lastEvent = await machine.hub.store.events.last()
  machine.hub.clock.advance(-3_000_000)

  await machine.restore(copy)
  const [restored] = await machine.hub.store.events.after(lastEvent, 1)
  assert.equal(restored?.type, 'registry-restored')
  assert.equal(restored?.number, lastEvent + 1)
  for (const [index, scope] of scopes.entries()) {
    const crl = await currentCrl(machine.hub, scope)
    assert.ok(crl.number > (newest[index]?.number ?? 0n))
    assert.ok(crl.crl.length > 0)
  }
})

test('a shard that certificates came back to takes no others, and those of them that are not adopted are on hold in it', async (t) => {
  const machine = await TimeMachine.start(t)
  const copy = await machine.backUp()
  const lost = await machine.connected(await registered(machine.hub, 'lost'))
  await machine.restore(copy)
  const shard = await machine.hub.store.crls.shard(lost.authorityId, lost.crlShard ?? fullCrl)
  assert.deepEqual([shard?.places, shard?.base], [limits.crlShardCertificatesMax, statusBase])
  const { crl } = await currentCrl(machine.hub, shardOf(lost))
  const [entry] = readCrlEntries(readCrl(crl).entryBytes ?? new Uint8Array())
  assert.deepEqual([entry?.serialNumber, entry?.reason], [lost.serialNumber, 6])
  const next = await machine.connected(await registered(machine.hub, 'next'))
  assert.notEqual(next.crlShard, lost.crlShard)
})

function shardOf({ authorityId, crlShard }: Credential): CrlScope {
  return { authorityId, shard: crlShard ?? fullCrl }
}

test('the audit log goes on in its chain and tells of every change', async (t) => {
  const machine = await TimeMachine.start(t)
  const credential = await machine.connected(await registered(machine.hub, 'pump'))
  const copy = await machine.backUp()
  await revokeDevice(machine.hub, actor, credential.identityId, 'keyCompromise')
  await machine.restore(copy)
  const entries = await machine.hub.store.audit.after(0, 1_000)
  assert.equal(firstBreak({ number: 0, hash: auditChainStart }, entries), null)
  assert.deepEqual(
    entries.filter((entry) => entry.actor === 'journal').map(({ act, subject }) => [act, subject]),
    [
      ['credential.revoke', credential.serialNumber],
      ['identity.state', 'pump'],
      ['registry.restore', `event ${(await restoredEvent(machine)).restoredTo}`],
    ],
  )
})

test('a replay that is cut short leaves nothing, and the next start does it whole', async (t) => {
  const machine = await TimeMachine.start(t)
  const credential = await machine.connected(await registered(machine.hub, 'pump'))
  const copy = await machine.backUp()
  await revokeDevice(machine.hub, actor, credential.identityId, 'keyCompromise')
  await machine.exchange(copy)
  await assert.rejects(machine.open(failingLast), { message: 'the power is gone' })
  assert.equal((await machine.open())?.credentialsRevoked, 1)
  await machine.backUp()
  const events = await machine.hub.store.events.after(0, 1_000)
  assert.equal(events.filter(({ type }) => type === 'registry-restored').length, 1)
})

test('a hub that ended between the replay and its journal does not replay twice', async (t) => {
  const machine = await TimeMachine.start(t)
  const credential = await machine.connected(await registered(machine.hub, 'pump'))
  const copy = await machine.backUp()
  await revokeDevice(machine.hub, actor, credential.identityId, 'keyCompromise')
  const before = Buffer.from(await machine.files.read('00000001.journal'))
  await machine.restore(copy)
  const replayed = await machine.backUp()
  // The journal of the moment before: what the replay wrote into the registry is not in it.
  const other = await TimeMachine.withJournal(machine, before)
  await other.exchange(replayed)
  const restores = async () =>
    (await other.hub.store.events.after(0, 1_000)).filter(({ type }) => type === 'registry-restored').length
  assert.equal(await other.open(), null)
  assert.equal(await restores(), 1)
  const { isBehind } = await findInJournal(other.hub.store, other.journal)
  assert.equal(isBehind, false)
})

test('a registry that was restored twice, the second time to an older copy, has lost no revocation', async (t) => {
  const machine = await TimeMachine.start(t)
  const [a, b, c] = [
    await machine.connected(await registered(machine.hub, 'a')),
    await machine.connected(await registered(machine.hub, 'b')),
    await machine.connected(await registered(machine.hub, 'c')),
  ]
  const oldest = await machine.backUp()
  await revokeDevice(machine.hub, actor, a.identityId, 'keyCompromise')
  const renewed = await machine.connected(await grant(machine.hub, c.identityId))
  const older = await machine.backUp()
  await revokeDevice(machine.hub, actor, b.identityId, 'keyCompromise')
  await machine.restore(older)
  await revokeCertificate(machine.hub, actor, c.serialNumber, 'superseded')
  await machine.restore(oldest)
  assert.equal(await machine.verdict(a), 'certificate-revoked')
  assert.equal(await machine.verdict(b), 'certificate-revoked')
  assert.equal(await machine.verdict(c), 'certificate-revoked')
  assert.equal(await machine.verdict(renewed), 'certificate-not-adopted')
  await adoptIdentity(machine.hub, actor, c.identityId)
  assert.equal(await machine.verdict(renewed), 'admitted')
})

test('a certificate of the listeners that was issued after the copy is known again and used by nobody', async (t) => {
  const machine = await TimeMachine.start(t)
  const names = { dnsNames: ['hub.plant.example'], ipAddresses: [] }
  await currentServerCertificate(machine.hub, names)
  const copy = await machine.backUp()
  await currentServerCertificate(machine.hub, { ...names, ipAddresses: ['10.0.0.1'] })
  await machine.restore(copy)
  const { items } = await machine.hub.store.credentials.listOfIdentity(hubIdentityId, { after: null, limit: 10 })
  assert.deepEqual(
    items.map(({ state }) => state),
    ['superseded', 'active'],
  )
  assert.equal(await machine.hub.store.adoptions.count(), 0)
})

test('a registry that is older than its journal reaches back is refused by name', async (t) => {
  const machine = await TimeMachine.start(t, 1_000)
  const copy = await machine.backUp()
  for (let day = 0; day < 12; day++) {
    await registered(machine.hub, `pump-${day}`)
    machine.hub.clock.advance(86_400_000)
  }
  assert.ok(machine.journal.start.place > 0)
  await machine.exchange(copy)
  await assert.rejects(machine.open(), { code: 'journal-too-short' })
})

/** A registry in which the last statement of a replay fails. */
function failingLast(store: Store): Store {
  const failing = (tx: Transaction): Transaction => ({
    ...tx,
    audit: {
      ...tx.audit,
      async append(entry) {
        if (entry.act === 'registry.restore') throw new Error('the power is gone')
        return tx.audit.append(entry)
      },
    },
  })
  return { ...store, write: (work) => store.write((tx) => work(failing(tx))) }
}

async function restoredEvent(machine: TimeMachine) {
  const events = await machine.hub.store.events.after(0, 1_000)
  const restored = events.find((event) => event.type === 'registry-restored')
  assert.ok(restored?.type === 'registry-restored')
  return restored
}

test('a copy from the middle of an issuance takes the certificate in place of its intent', async (t) => {
  const machine = await TimeMachine.start(t)
  const { identity } = await registered(machine.hub, 'pump-7')
  const { realm, clock } = machine.hub
  const credential = await issueCredential(machine.hub, {
    authority: machine.hub.authorities.issuing(),
    content: certificateContent(deviceProfile, identity, realm),
    tokenId: null,
    publicKey: ecKey().spki,
    actor,
  })
  const copy = await machine.backUp()
  const { fingerprint, serialNumber } = credential
  await machine.hub.store.write(async (tx) => {
    await completeCredential(tx, clock, credential)
    await tx.events.append({ type: 'credential-issued', identityId: identity.id, fingerprint, serialNumber })
  })

  const report = await machine.restore(copy)
  assert.equal(report.credentialsWaiting, 1)
  const held = await machine.hub.store.credentials.findBySerial(serialNumber)
  assert.deepEqual([held?.state, held?.fingerprint], ['unadopted', fingerprint])
  assert.deepEqual(await machine.findings(), [])
})

test('a copy from before a change of authorities is refused, because it has neither their keys nor their names', async (t) => {
  const machine = await TimeMachine.start(t)
  const device = await machine.connected(await registered(machine.hub, 'pump-1'))
  const before = await machine.backUp()
  // The store was opened anew.
  const authorities = await openAuthorities(machine.hub.store, machine.hub.keys)
  const { toId } = await beginRollOver({ ...machine.hub, authorities }, actor, {
    ...{ role: 'issuing', chain: 'main', keyType: null, isPaused: true },
  })
  const after = await machine.backUp()
  await revokeCertificate(machine.hub, actor, device.serialNumber, 'keyCompromise')
  await assert.rejects(machine.restore(before), (error) => {
    return error instanceof HubError && error.code === 'authority-unknown' && error.message.includes(toId)
  })
  await machine.restore(after)
  assert.equal(await machine.verdict(device), 'certificate-revoked')
})

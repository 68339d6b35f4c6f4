/** What the store must do for profiles, authorities that change, renewal with lineage, approval and roles. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Credential } from '../../../src/core/identity/credential.ts'
import type { IdentityId } from '../../../src/core/identity/id.ts'
import type { Password } from '../../../src/core/identity/password.ts'
import type { RollOverRow } from '../../../src/hub/ports/authorities.ts'
import type { EnrolmentRequestRow } from '../../../src/hub/ports/enrolment-requests.ts'
import type { ProfileRow, RoleGrantRow } from '../../../src/hub/ports/grants.ts'
import type { RenewalScope } from '../../../src/hub/ports/renewals.ts'
import type { Store, Transaction } from '../../../src/hub/ports/store.ts'
import { fakeApiKey, fakeAuthority, fakeCredential, fakeIdentity, fakePassword } from '../store-fakes.ts'

export function authorityContract(store: () => Store): void {
  describe('the authority', () => {
    credentialContract(store)
    passwordContract(store)
    rowContract(store)
  })
}

const profile: ProfileRow = { name: 'meter', definition: '{"a":1}', version: 1, createdAtMs: 1, updatedAtMs: 2 }

const rollOver: RollOverRow = {
  id: '1'.repeat(16),
  role: 'root',
  chain: 'main',
  fromId: 'root-1',
  toId: 'root-2',
  state: 'published',
  isPaused: false,
  sharePercent: 98,
  startedAtMs: 1,
  changedAtMs: 2,
}

function enrolmentRequest(identityId: IdentityId, change: Partial<EnrolmentRequestRow> = {}): EnrolmentRequestRow {
  return {
    id: '2'.repeat(16),
    identityId,
    tokenId: '3'.repeat(16),
    parentSerial: null,
    profile: 'device',
    publicKeyHash: 'ab',
    state: 'waiting',
    createdAtMs: 100,
    decidedAtMs: null,
    decidedBy: null,
    ...change,
  }
}

/** A row in each of the tables that no other test fills. */
export async function writeOneOfEach(tx: Transaction, id: IdentityId): Promise<void> {
  await tx.profiles.insert(profile)
  await tx.rollOvers.insert(rollOver)
  await tx.rollOvers.acknowledge('root-2', id, 'fetch', 7)
  await tx.enrolmentRequests.insert(enrolmentRequest(id))
  await tx.roleGrants.insert({ identityId: id, role: 'owner', group: 'line-2', mayRegister: false })
  await tx.renewals.insertContest({
    identityId: id,
    parentSerial: '01',
    rivalSerial: '02',
    serialNumber: '03',
    atMs: 1,
  })
  await tx.passwords.insert(fakePassword('4'.repeat(16), id))
  await tx.renewals.call({ kind: 'group', group: 'line-2' }, 1)
  await tx.crls.saveShard({ authorityId: 'issuing-1', shard: 0, base: 'http://a', places: 64, notAfterSec: 99 })
  await tx.authorities.insertCross({
    fingerprint: 'cd',
    subjectId: 'root-2',
    issuerId: 'root-1',
    certificate: Uint8Array.of(4),
    createdAtMs: 3,
  })
}

function passwordContract(store: () => Store): void {
  test('passwords of an identity are found as they were written, those that stand oldest first', async () => {
    const { id } = await someone(store(), 'password-1')
    const made = (n: number, change: Partial<Password> = {}) => fakePassword(`${n}`.repeat(16), id, change)
    const ended = made(5, { state: 'ended', endedAtMs: 9 })
    const superseded = made(6, { state: 'superseded', usedAtMs: 2, supersededAtMs: 3, endedAtMs: 500 })
    const active = made(7, { state: 'active', usedAtMs: 4 })
    await store().write(async (tx) => {
      for (const each of [ended, superseded, active]) await tx.passwords.insert(each)
    })
    assert.deepEqual(await store().passwords.find(superseded.id), superseded)
    assert.equal(await store().passwords.find('0'.repeat(16)), null)
    assert.deepEqual(await store().passwords.standingOf(id), [superseded, active])
    assert.deepEqual(await store().passwords.listOfIdentity(id), [active, superseded, ended])
    assert.deepEqual(await store().passwords.overAt(499, 10), [])
    assert.deepEqual(await store().passwords.overAt(500, 10), [superseded])
    const status = await store().passwords.statusOf([active.id, ended.id, '0'.repeat(16)])
    assert.deepEqual(status.map((each) => `${each.state}/${each.identityState}`).sort(), [
      'active/pending',
      'ended/pending',
    ])
    const over: Password = { ...superseded, state: 'ended' }
    await store().write((tx) => tx.passwords.update(over))
    assert.deepEqual(await store().passwords.find(superseded.id), over)
    await assert.rejects(store().write((tx) => tx.passwords.update(made(8))))
  })
}

function credentialContract(store: () => Store): void {
  test('an intent becomes the credential that was signed, once', async () => {
    const intent = fakeCredential(700, { state: 'intended', identityId: (await someone(store(), 'intent-1')).id })
    await store().write((tx) => tx.credentials.insert(intent))
    const signed = {
      ...intent,
      fingerprint: 'f'.repeat(64),
      certificate: Uint8Array.of(1, 2),
      state: 'pending',
    } as const
    assert.equal(await store().write((tx) => tx.credentials.complete(signed)), true)
    assert.deepEqual(await store().credentials.find(signed.fingerprint), signed)
    assert.equal(await store().credentials.find(intent.fingerprint), null)
    const other = { ...signed, fingerprint: 'e'.repeat(64) }
    assert.equal(await store().write((tx) => tx.credentials.complete(other)), false)
    assert.deepEqual(await store().credentials.findBySerial(intent.serialNumber), signed)
  })

  test('children of a credential are found, oldest first', async () => {
    const { id } = await someone(store(), 'parent-1')
    const parent = fakeCredential(710, { identityId: id })
    const child = (n: number) => fakeCredential(n, { identityId: id, parentSerial: parent.serialNumber })
    await store().write((tx) => tx.credentials.insertAll([parent, child(712), child(711)]))
    assert.deepEqual(await store().credentials.childrenOf(parent.serialNumber), [child(711), child(712)])
    assert.deepEqual(await store().credentials.childrenOf(child(711).serialNumber), [])
  })

  test('a lineage is a credential and all that descends from it, but for what is revoked, oldest first', async () => {
    const { id } = await someone(store(), 'lineage-1')
    const credential = (n: number, parent: number | null, change: Partial<Credential> = {}) =>
      fakeCredential(n, {
        identityId: id,
        parentSerial: parent === null ? null : fakeCredential(parent).serialNumber,
        ...change,
      })
    const revoked = { state: 'revoked', revokedAtMs: 1, revocationReason: 'superseded' } as const
    const rows = [
      credential(740, null),
      credential(741, 740, revoked),
      credential(742, 741),
      credential(743, 740),
      credential(744, null),
      credential(745, 744),
    ]
    await store().write((tx) => tx.credentials.insertAll(rows))
    const lineage = async (...ns: number[]) => {
      const found = await store().credentials.lineageOf(ns.map((n) => fakeCredential(n).serialNumber))
      return found.map((fingerprint) => rows.find((row) => row.fingerprint === fingerprint)?.issuedAtMs)
    }
    assert.deepEqual(await lineage(740), [1_740, 1_742, 1_743])
    assert.deepEqual(await lineage(741), [1_742])
    assert.deepEqual(await lineage(745, 743), [1_743, 1_745])
    assert.deepEqual(await lineage(), [])
    assert.deepEqual(await lineage(799), [])
  })

  test('a lineage of a thousand renewals is walked to its end', async () => {
    const { id } = await someone(store(), 'lineage-2')
    const chain = Array.from({ length: 1_000 }, (_, n) =>
      fakeCredential(10_000 + n, {
        identityId: id,
        parentSerial: n === 0 ? null : fakeCredential(9_999 + n).serialNumber,
      }),
    )
    await store().write(async (tx) => {
      for (let start = 0; start < chain.length; start += 100) {
        await tx.credentials.insertAll(chain.slice(start, start + 100))
      }
    })
    const found = await store().credentials.lineageOf([fakeCredential(10_000).serialNumber])
    assert.deepEqual(
      found,
      chain.map(({ fingerprint }) => fingerprint),
    )
  })

  test('the credentials of one key are found, whatever their state, and only those of the identity', async () => {
    const [{ id }, other] = [await someone(store(), 'key-1'), await someone(store(), 'key-2')]
    const revoked = { state: 'revoked', revokedAtMs: 1, revocationReason: 'keyCompromise' } as const
    const mine = [
      fakeCredential(750, { identityId: id, publicKeyHash: 'ab', ...revoked }),
      fakeCredential(751, { identityId: id, publicKeyHash: 'ab' }),
    ]
    const others = [
      fakeCredential(752, { identityId: id, publicKeyHash: 'cd' }),
      fakeCredential(753, { identityId: other.id, publicKeyHash: 'ab' }),
    ]
    await store().write((tx) => tx.credentials.insertAll([...others, ...mine]))
    assert.deepEqual(await store().credentials.ofKey(id, 'ab'), mine)
  })

  test('what was issued or superseded before a time is found by its state, oldest first', async () => {
    const { id } = await someone(store(), 'old-1')
    const intent = (n: number, issuedAtMs: number) =>
      fakeCredential(n, { identityId: id, issuedAtMs, state: 'intended' })
    const superseded = (n: number, supersededAtMs: number) =>
      fakeCredential(n, { identityId: id, supersededAtMs, state: 'superseded' })
    const rows = [intent(720, 12), intent(721, 11), intent(722, 13), superseded(723, 22), superseded(724, 21)]
    await store().write((tx) => tx.credentials.insertAll(rows))
    const found = await store().credentials.issuedBefore(['intended'], 13, 10)
    assert.deepEqual(
      found.filter(({ identityId }) => identityId === id),
      [intent(721, 11), intent(720, 12)],
    )
    assert.equal((await store().credentials.issuedBefore(['intended'], 99, 1)).length, 1)
    assert.deepEqual(await store().credentials.supersededBefore(22, 10), [superseded(724, 21)])
  })

  test('renewed certificates that nobody has used are found by their profile, oldest first', async () => {
    const { id } = await someone(store(), 'waiting-renewed')
    const renewed = (n: number, change: Partial<Credential> = {}) =>
      fakeCredential(n, { identityId: id, profile: 'waits', parentSerial: '01', ...change })
    const rows = [
      renewed(762),
      renewed(761, { state: 'quarantined' }),
      renewed(763, { parentSerial: null }),
      renewed(764, { state: 'quarantined', activatedAtMs: 5 }),
      renewed(765, { state: 'active', activatedAtMs: 5 }),
      renewed(766, { profile: 'other' }),
      renewed(767),
    ]
    await store().write((tx) => tx.credentials.insertAll(rows))
    assert.deepEqual(await store().credentials.waitingSince('waits', 1_767, 9), [rows[1], rows[0]])
    assert.deepEqual(await store().credentials.waitingSince('waits', 1_767, 1), [rows[1]])
  })

  test('a shard lists what was revoked and names it, and what names none is listed without one', async () => {
    const { id } = await someone(store(), 'sharded-1')
    const revoked = (n: number, crlShard: number | null) =>
      fakeCredential(n, {
        ...{ identityId: id, authorityId: 'issuing-sharded', serialNumber: `0${n}`, crlShard },
        ...{ state: 'revoked', revokedAtMs: n, revocationReason: 'superseded' },
      })
    await store().write((tx) => tx.credentials.insertAll([revoked(730, 0), revoked(731, 1), revoked(732, null)]))
    const serialsOf = async (shard: number | null) =>
      (
        await store().credentials.revoked({
          ...{ authorityId: 'issuing-sharded', shard, notAfterSec: 0, after: null, limit: 10 },
        })
      ).items.map(({ serialNumber }) => serialNumber)
    assert.deepEqual(await serialsOf(0), ['0730'])
    assert.deepEqual(await serialsOf(1), ['0731'])
    assert.deepEqual(await serialsOf(null), ['0732'])
  })
}

function rowContract(store: () => Store): void {
  test('profiles are read as they were written, and whether one is granted is known', async () => {
    await store().write((tx) => tx.profiles.insert(profile))
    assert.deepEqual(await store().profiles.find('meter'), profile)
    const changed = { ...profile, definition: '{}', version: 2 }
    await store().write((tx) => tx.profiles.update(changed))
    assert.deepEqual(await store().profiles.all(), [changed])
    assert.equal(await store().profiles.isGranted('meter'), false)
    await store().write((tx) => tx.identities.insert(fakeIdentity('granted-1', { profiles: ['device', 'meter'] })))
    assert.equal(await store().profiles.isGranted('meter'), true)
    assert.equal(await store().profiles.isGranted('mete'), false)
    await store().write((tx) => tx.profiles.remove('meter'))
    assert.equal(await store().profiles.find('meter'), null)
  })

  test('an authority changes its state and keeps its place; cross-certificates are listed', async () => {
    const authority = fakeAuthority('issuing-changing')
    await store().write((tx) => tx.authorities.insert(authority))
    const changed = { ...authority, state: 'previous', keyPlace: 'offline', certificate: Uint8Array.of(8) } as const
    await store().write((tx) => tx.authorities.update(changed))
    assert.deepEqual(
      (await store().authorities.all()).filter(({ id }) => id === authority.id),
      [changed],
    )
    const cross = { fingerprint: 'ff', subjectId: 'b', issuerId: 'a', certificate: Uint8Array.of(1), createdAtMs: 2 }
    await store().write((tx) => tx.authorities.insertCross(cross))
    assert.deepEqual(await store().authorities.crossCertificates(), [cross])
  })

  test('a roll-over is read as it was written, and each identity acknowledges a root once', async () => {
    const { id } = await someone(store(), 'acknowledging-1')
    await store().write((tx) => tx.rollOvers.insert(rollOver))
    const changed = { ...rollOver, state: 'cutting' as const, isPaused: true, sharePercent: 50, changedAtMs: 9 }
    await store().write((tx) => tx.rollOvers.update(changed))
    assert.deepEqual(await store().rollOvers.all(), [changed])
    const acknowledge = () => store().write((tx) => tx.rollOvers.acknowledge('root-2', id, 'fetch', 1))
    assert.deepEqual([await acknowledge(), await acknowledge()], [true, false])
    assert.equal(await store().rollOvers.acknowledged('root-2'), 1)
    assert.equal(await store().rollOvers.hasAcknowledged('root-2', id), true)
    assert.equal(await store().rollOvers.hasAcknowledged('root-1', id), false)
  })

  test('requests that wait are listed in their order, and old ones are removed', async () => {
    const { id } = await someone(store(), 'waiting-1')
    const request = (n: number) => enrolmentRequest(id, { id: `${n}`.repeat(16), createdAtMs: n })
    const decided = { ...request(4), state: 'approved', decidedAtMs: 5, decidedBy: 'key:admin' } as const
    await store().write(async (tx) => {
      for (const n of [5, 4, 6]) await tx.enrolmentRequests.insert(request(n))
      await tx.enrolmentRequests.update(decided)
    })
    assert.deepEqual(await store().enrolmentRequests.find(decided.id), decided)
    assert.deepEqual(await store().enrolmentRequests.ofIdentity(id), [request(5), decided, request(6)])
    const first = await store().enrolmentRequests.waiting({ after: null, limit: 1 })
    assert.deepEqual(first.items, [request(5)])
    const rest = await store().enrolmentRequests.waiting({ after: first.next, limit: 5 })
    assert.deepEqual(rest, { items: [request(6)], next: null })
    assert.equal(await store().write((tx) => tx.enrolmentRequests.removeBefore(6, 1)), 1)
    assert.deepEqual(await store().enrolmentRequests.ofIdentity(id), [request(5), request(6)])
  })

  test('contests are read back newest first, and counted by their time', async () => {
    const { id } = await someone(store(), 'contested-1')
    const contest = (n: number) => ({
      ...{ identityId: id, parentSerial: '01', rivalSerial: `1${n}`, serialNumber: `2${n}` },
      atMs: 9_000_000_000_000 + n,
    })
    await store().write(async (tx) => {
      for (const n of [1, 2, 3]) await tx.renewals.insertContest(contest(n))
    })
    assert.deepEqual(await store().renewals.contestsOf(id, 2), [contest(3), contest(2)])
    assert.equal(await store().renewals.contestsSince(contest(2).atMs), 2)
  })

  test('a call for renewal is known by its scope, and the latest counts', async () => {
    const { id } = await someone(store(), 'called-1')
    const device = { kind: 'identity', id } as const
    const group = { kind: 'group', group: id } as const
    const authority = { kind: 'authority', authorityId: 'issuing-called' } as const
    await store().write(async (tx) => {
      await tx.renewals.call(device, 5)
      await tx.renewals.call(device, 7)
      await tx.renewals.call(authority, 6)
    })
    const at = (...scopes: RenewalScope[]) => store().renewals.calledAtMs(scopes)
    assert.deepEqual([await at(device), await at(group), await at(authority)], [7, null, 6])
    assert.equal(await at(group, authority), 6)
    assert.equal(await at(device, group, authority), 7)
  })

  test('a person has a role once in each group', async () => {
    const { id } = await someone(store(), 'person-1')
    const owner: RoleGrantRow = { identityId: id, role: 'owner', group: 'line-2', mayRegister: false }
    const requester: RoleGrantRow = { identityId: id, role: 'requester', group: 'line-3', mayRegister: true }
    const auditor: RoleGrantRow = { identityId: id, role: 'auditor', group: null, mayRegister: false }
    const insert = (grant: RoleGrantRow) => store().write((tx) => tx.roleGrants.insert(grant))
    assert.deepEqual([await insert(owner), await insert(owner), await insert(auditor)], [true, false, true])
    assert.equal(await insert(requester), true)
    assert.equal(await insert({ ...requester, mayRegister: false }), false)
    assert.deepEqual(await store().roleGrants.ofIdentity(id), [owner, auditor, requester])
    assert.deepEqual(await store().roleGrants.all({ after: null, limit: 9 }), {
      items: [owner, auditor, requester],
      next: null,
    })
    const remove = () => store().write((tx) => tx.roleGrants.remove(auditor))
    assert.deepEqual([await remove(), await remove()], [true, false])
    assert.deepEqual(await store().roleGrants.ofIdentity(id), [owner, requester])
  })

  test('API keys keep their role, groups and end, and are listed page by page', async () => {
    const keys = ['a', 'b'].map((letter) =>
      fakeApiKey({
        id: letter.repeat(16),
        name: letter,
        role: 'requester',
        groups: ['x', 'y'],
        mayRegister: true,
        expiresAtMs: 5,
      }),
    )
    await store().write(async (tx) => {
      for (const key of keys) await tx.apiKeys.insert(key)
    })
    const first = await store().apiKeys.list({ after: null, limit: 1 })
    assert.deepEqual(first.items, keys.slice(0, 1))
    assert.deepEqual((await store().apiKeys.list({ after: first.next, limit: 1 })).items, keys.slice(1))
    assert.deepEqual(await store().apiKeys.named('b'), keys[1])
    assert.equal(await store().apiKeys.named('c'), null)
  })

  test('shards of CRLs are told apart, and CRLs are listed without their content', async () => {
    const row = { authorityId: 'issuing-shards', number: 1n, thisUpdateMs: 1, nextUpdateMs: 2, eventNumber: 3 }
    const places = { authorityId: 'issuing-shards', shard: 1, base: 'http://a', places: 64, notAfterSec: 7 }
    await store().write(async (tx) => {
      await tx.crls.save({ ...row, shard: 1, crl: Uint8Array.of(1) })
      await tx.crls.save({ ...row, shard: 0, number: 2n, crl: Uint8Array.of(2) })
      await tx.crls.saveShard({ ...places, places: 1 })
      await tx.crls.saveShard(places)
      await tx.crls.saveShard({ ...places, shard: 2, base: 'http://b', notAfterSec: 9 })
    })
    assert.deepEqual((await store().crls.latest('issuing-shards', 0))?.number, 2n)
    assert.deepEqual(await store().crls.ofAuthority('issuing-shards'), [
      { ...row, shard: 0, number: 2n },
      { ...row, shard: 1 },
    ])
    assert.deepEqual(await store().crls.head('issuing-shards', 1), { ...row, shard: 1 })
    assert.equal(await store().crls.head('issuing-shards', 2), null)
    const shardsOf = async (notAfterSec: number) =>
      (await store().crls.shards('issuing-shards', notAfterSec)).map(({ shard }) => shard)
    assert.deepEqual([await shardsOf(7), await shardsOf(8), await shardsOf(10)], [[1, 2], [2], []])
    assert.deepEqual(await store().crls.shard('issuing-shards', 1), places)
    assert.equal(await store().crls.shard('issuing-shards', 3), null)
    assert.equal((await store().crls.newestShard('issuing-shards', null))?.shard, 2)
    assert.deepEqual(await store().crls.newestShard('issuing-shards', 'http://a'), places)
    assert.equal(await store().crls.newestShard('issuing-shards', 'http://c'), null)
  })
}

async function someone(store: Store, id: string) {
  const identity = fakeIdentity(id)
  await store.write((tx) => tx.identities.insert(identity))
  return identity
}

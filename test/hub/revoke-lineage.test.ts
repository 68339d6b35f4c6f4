import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Credential, RevocationReason } from '../../src/core/identity/credential.ts'
import { revokeCertificate, revokeDevice } from '../../src/hub/change-identity.ts'
import { fakeCredential } from '../contract/store-fakes.ts'
import { type HubParts, hubParts, registered } from '../support/hub-parts.ts'

/** The renewals of a device: number of each certificate and of the one that it was renewed from. */
async function lineage(
  hub: HubParts,
  id: string,
  certificates: readonly (readonly [n: number, parent: number | null, change?: Partial<Credential>])[],
): Promise<void> {
  const { identity } = await registered(hub, id)
  const rows = certificates.map(([n, parent, change]) =>
    fakeCredential(n, {
      identityId: identity.id,
      state: 'active',
      activatedAtMs: n,
      parentSerial: parent === null ? null : fakeCredential(parent).serialNumber,
      ...change,
    }),
  )
  await hub.store.write((tx) => tx.credentials.insertAll(rows))
}

function revoke(hub: HubParts, n: number, reason: RevocationReason) {
  return revokeCertificate(hub, hub.actor, fakeCredential(n).serialNumber, reason)
}

async function reasonsOf(hub: HubParts, ...ns: number[]): Promise<readonly (string | null)[]> {
  const found = await Promise.all(ns.map((n) => hub.store.credentials.findBySerial(fakeCredential(n).serialNumber)))
  return found.map((credential) => credential?.revocationReason ?? null)
}

const old = { state: 'superseded', supersededAtMs: 1 } as const

test('a compromised certificate takes all that was renewed from it, over any number of renewals, and tells each of them', async (t) => {
  const hub = await hubParts(t)
  const gone = { state: 'revoked', revokedAtMs: 1, revocationReason: 'superseded' } as const
  await lineage(hub, 'pump-7', [
    [1, null, old],
    [2, 1, gone],
    [3, 2],
    [4, null],
  ])
  const from = await hub.store.events.last()
  const { revoked } = await revoke(hub, 1, 'keyCompromise')
  assert.equal(revoked.length, 2)
  assert.deepEqual(await reasonsOf(hub, 1, 2, 3, 4), ['keyCompromise', 'superseded', 'keyCompromise', null])
  const events = await hub.store.events.after(from, 9)
  assert.deepEqual(
    events.map((event) => event.type === 'credential-revoked' && event.serialNumber),
    [1, 3].map((n) => fakeCredential(n).serialNumber),
  )
})

test('a privilege that is withdrawn spreads; superseded and cessation of operation do not', async (t) => {
  const hub = await hubParts(t)
  const reasons = ['privilegeWithdrawn', 'superseded', 'cessationOfOperation', 'affiliationChanged'] as const
  for (const [n, reason] of reasons.entries()) {
    await lineage(hub, `pump-${n}`, [
      [10 * n, null, old],
      [10 * n + 1, 10 * n],
    ])
    await revoke(hub, 10 * n, reason)
    const expected = reason === 'privilegeWithdrawn' ? reason : null
    assert.deepEqual(await reasonsOf(hub, 10 * n, 10 * n + 1), [reason, expected])
  }
})

test('a compromised key takes every certificate that was made for it: a device that keeps its key has no other', async (t) => {
  const hub = await hubParts(t)
  const key = { publicKeyHash: 'aa' }
  await lineage(hub, 'pump-7', [
    [1, null, { ...old, ...key }],
    [2, 1, { ...old, ...key }],
    [3, 2, key],
    [4, 1],
    [5, null],
  ])
  const { revoked } = await revoke(hub, 3, 'keyCompromise')
  assert.equal(revoked.length, 4)
  assert.deepEqual(await reasonsOf(hub, 1, 2, 3, 4, 5), [...Array(4).fill('keyCompromise'), null])
})

test('the same key of another device is not touched', async (t) => {
  const hub = await hubParts(t)
  await lineage(hub, 'pump-7', [[1, null, { publicKeyHash: 'aa' }]])
  await lineage(hub, 'pump-8', [[2, null, { publicKeyHash: 'aa' }]])
  await revoke(hub, 1, 'keyCompromise')
  assert.deepEqual(await reasonsOf(hub, 1, 2), ['keyCompromise', null])
})

test('revoking the same again changes nothing and tells nobody', async (t) => {
  const hub = await hubParts(t)
  await lineage(hub, 'pump-7', [
    [1, null, old],
    [2, 1],
  ])
  await revoke(hub, 1, 'keyCompromise')
  const from = await hub.store.events.last()
  assert.deepEqual((await revoke(hub, 1, 'keyCompromise')).revoked, [])
  assert.equal(await hub.store.events.last(), from)
})

test('a chain of thousands goes in one transaction', async (t) => {
  const hub = await hubParts(t)
  await lineage(hub, 'pump-7', [[0, null]])
  const { identityId } = { identityId: (await registered(hub, 'pump-8')).identity.id }
  for (let start = 1; start <= 2_500; start += 500) {
    const some = Array.from({ length: 500 }, (_, n) =>
      fakeCredential(start + n, { identityId, parentSerial: fakeCredential(start + n - 1).serialNumber }),
    )
    await hub.store.write((tx) => tx.credentials.insertAll(some))
  }
  const { revoked } = await revoke(hub, 0, 'privilegeWithdrawn')
  assert.equal(revoked.length, 2_501)
})

test('a device that is revoked keeps nothing, quarantined certificates included', async (t) => {
  const hub = await hubParts(t)
  const quarantined = { state: 'quarantined', activatedAtMs: null } as const
  await lineage(hub, 'pump-7', [
    [1, null],
    [2, 1, quarantined],
    [3, null, { state: 'pending', activatedAtMs: null }],
  ])
  const { identity } = await registered(hub, 'pump-9')
  await revokeDevice(hub, hub.actor, identity.id, 'privilegeWithdrawn')
  assert.deepEqual(await reasonsOf(hub, 1, 2, 3), [null, null, null])
  const pump = await hub.store.credentials.findBySerial(fakeCredential(1).serialNumber)
  assert.ok(pump !== null)
  assert.equal((await revokeDevice(hub, hub.actor, pump.identityId, 'privilegeWithdrawn')).revoked.length, 3)
})

/** What the store must do for credentials: found by fingerprint, serial number, holder, token and state. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Credential } from '../../../src/core/identity/credential.ts'
import type { Identity } from '../../../src/core/identity/identity.ts'
import type { Page } from '../../../src/hub/ports/page.ts'
import type { Store } from '../../../src/hub/ports/store.ts'
import { fakeCredential, fakeIdentity } from '../store-fakes.ts'

export function credentialContract(store: () => Store): void {
  const identity = fakeIdentity('holder')
  const make = (n: number, change: Partial<Credential> = {}) =>
    fakeCredential(n, { identityId: identity.id, issuedAtMs: 1_000 + Math.floor(n / 2), ...change })

  test('a credential is read as it was written, and an update leaves the certificate as it was', async () => {
    const credential = make(1, { tokenId: '0123456789abcdef' })
    await store().write(async (tx) => {
      await tx.identities.insert(identity)
      await tx.credentials.insert(credential)
    })
    assert.deepEqual(await store().credentials.find(credential.fingerprint), credential)
    assert.deepEqual(await store().credentials.findBySerial(credential.serialNumber), credential)
    assert.equal(await store().credentials.find('00'), null)
    assert.equal(await store().credentials.findBySerial('00'), null)
    const active: Credential = { ...credential, state: 'active', activatedAtMs: 5 }
    await store().write((tx) => tx.credentials.update({ ...active, certificate: new Uint8Array() }))
    assert.deepEqual(await store().credentials.find(credential.fingerprint), active)
  })

  test('credentials are written and found by the many, all or none', async () => {
    const other = fakeIdentity('has-many')
    const many = Array.from({ length: 300 }, (_, n) => make(1_000 + n, { identityId: other.id }))
    await store().write(async (tx) => {
      await tx.identities.insert(other)
      await tx.credentials.insertAll(many)
      await tx.credentials.insertAll([])
    })
    const wanted = [...many.slice(0, 250).map(({ fingerprint }) => fingerprint), '00']
    const found = await store().credentials.findAll(wanted)
    assert.deepEqual(new Set(found.map(({ fingerprint }) => fingerprint)), new Set(wanted.slice(0, -1)))
    assert.deepEqual(await store().credentials.findAll([]), [])
    await assert.rejects(store().write((tx) => tx.credentials.insertAll([make(2_000), make(1_000)])))
    assert.equal(await store().credentials.find(make(2_000).fingerprint), null)
  })

  test('a serial number and a fingerprint are taken once', async () => {
    const credential = make(20)
    await store().write((tx) => tx.credentials.insert(credential))
    await assert.rejects(store().write((tx) => tx.credentials.insert({ ...credential, fingerprint: 'ff' })))
    await assert.rejects(store().write((tx) => tx.credentials.insert({ ...credential, serialNumber: 'ff' })))
  })

  test('credentials of an identity are paged newest first, also where several bear one time', async () => {
    await store().write(async (tx) => {
      for (let n = 2; n <= 8; n++) await tx.credentials.insert(make(n))
    })
    const seen: string[] = []
    let after: string | null = null
    do {
      const page: Page<Credential> = await store().credentials.listOfIdentity(identity.id, { after, limit: 2 })
      seen.push(...page.items.map((credential) => credential.serialNumber))
      after = page.next
      if (seen.length === 4) await store().write((tx) => tx.credentials.insert(make(9, { issuedAtMs: 9_999 })))
    } while (after !== null)
    assert.deepEqual(
      seen,
      [20, 8, 7, 6, 5, 4, 3, 2, 1].map((n) => make(n).serialNumber),
    )
    await assert.rejects(store().credentials.listOfIdentity(identity.id, { after: 'x', limit: 2 }), {
      code: 'cursor-invalid',
    })
  })

  test('credentials are found by state and by token, oldest first', async () => {
    await store().write(async (tx) => {
      await tx.credentials.update(make(3, { state: 'superseded' }))
      await tx.credentials.insert(make(30, { state: 'superseded', tokenId: 'feed', issuedAtMs: 1 }))
      await tx.credentials.insert(make(31, { state: 'intended', tokenId: 'feed', issuedAtMs: 2 }))
    })
    const serials = (found: readonly Credential[]) => found.map((credential) => credential.serialNumber)
    const { credentials } = store()
    const superseded = await credentials.ofIdentityIn(identity.id, ['superseded', 'intended'])
    assert.deepEqual(
      serials(superseded),
      [30, 31, 3].map((n) => make(n).serialNumber),
    )
    assert.deepEqual(await credentials.ofIdentityIn(identity.id, []), [])
    assert.deepEqual(
      serials(await credentials.ofToken('feed')),
      [30, 31].map((n) => make(n).serialNumber),
    )
  })

  test('credentials that must not connect are told from a list, with the reason', async () => {
    const states: readonly [number, Credential['state'], Identity['state']][] = [
      [60, 'active', 'active'],
      [61, 'revoked', 'active'],
      [62, 'intended', 'active'],
      [63, 'superseded', 'active'],
      [64, 'active', 'disabled'],
      [65, 'pending', 'retired'],
      [66, 'pending', 'active'],
    ]
    await store().write(async (tx) => {
      for (const [n, state, identityState] of states) {
        const owner = fakeIdentity(`unfit-${n}`, { state: identityState })
        await tx.identities.insert(owner)
        await tx.credentials.insert(make(n, { identityId: owner.id, state }))
      }
    })
    const found = await store().credentials.unfit([...states.map(([n]) => make(n).fingerprint), 'unknown'])
    assert.deepEqual(
      new Map(found.map((each) => [each.fingerprint, [each.state, each.identityState]])),
      new Map([61, 62, 64, 65].map((n) => [make(n).fingerprint, states[n - 60]?.slice(1)])),
    )
    assert.deepEqual(await store().credentials.unfit([]), [])
  })

  test('what is revoked below an authority comes by its end, until it has expired, and what is on hold with it', async () => {
    const revoked = (n: number, serialNumber: string, notAfterSec: number, authorityId = 'issuing-9') =>
      make(n, {
        serialNumber,
        authorityId,
        notAfterSec,
        state: 'revoked',
        revokedAtMs: n,
        revocationReason: 'superseded',
      })
    await store().write(async (tx) => {
      await tx.credentials.insert(revoked(40, '0080', 500))
      await tx.credentials.insert(revoked(41, '7f', 500))
      await tx.credentials.insert(revoked(42, '01', 499))
      await tx.credentials.insert(revoked(43, '02', 900, 'issuing-8'))
      await tx.credentials.insert({ ...revoked(44, '03', 900), state: 'active', revokedAtMs: null })
      for (const [n, state] of [
        [45, 'quarantined'],
        [46, 'unadopted'],
      ] as const) {
        const held = { state, revokedAtMs: null, revocationReason: null }
        await tx.credentials.insert({ ...revoked(n, `${n}`, 400 + n), ...held, authorityId: 'issuing-7' })
      }
    })
    const query = { authorityId: 'issuing-9', shard: null, notAfterSec: 500, after: null, limit: 100 }
    assert.deepEqual((await store().credentials.revoked(query)).items, [
      { serialNumber: '0080', revokedAtMs: 40, reason: 'superseded' },
      { serialNumber: '7f', revokedAtMs: 41, reason: 'superseded' },
    ])
    const held = await store().credentials.revoked({ ...query, authorityId: 'issuing-7', notAfterSec: 0 })
    assert.deepEqual(held.items, [
      { serialNumber: '45', revokedAtMs: 1_022, reason: 'certificateHold' },
      { serialNumber: '46', revokedAtMs: 1_023, reason: 'certificateHold' },
    ])
  })

  test('revoked certificates come in pages, those of one end too', async () => {
    const credentials = [47, 48, 49].map((n) =>
      make(n, { authorityId: 'issuing-6', notAfterSec: 500, state: 'revoked', revokedAtMs: n }),
    )
    await store().write((tx) => tx.credentials.insertAll(credentials))
    const query = { authorityId: 'issuing-6', shard: null, notAfterSec: 0, limit: 2 }
    const first = await store().credentials.revoked({ ...query, after: null })
    assert.deepEqual(
      first.items.map(({ revokedAtMs }) => revokedAtMs),
      [47, 48],
    )
    const second = await store().credentials.revoked({ ...query, after: first.next })
    assert.deepEqual(
      second.items.map(({ revokedAtMs }) => revokedAtMs),
      [49],
    )
    assert.equal(second.next, null)
  })

  test('the status of a certificate is that of its issuer and serial number together', async () => {
    const revoked = { state: 'revoked', revokedAtMs: 9, revocationReason: 'superseded' } as const
    await store().write((tx) => tx.credentials.insert(make(50, { serialNumber: '0a0b', ...revoked })))
    assert.deepEqual(await store().credentials.status('issuing-1', '0a0b'), { ...revoked, issuedAtMs: 1_025 })
    assert.equal(await store().credentials.status('issuing-2', '0a0b'), null)
    assert.equal(await store().credentials.status('issuing-1', '0a0c'), null)
  })
}

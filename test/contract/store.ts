/**
 * What every adapter of the store ports must do. An adapter's test calls {@link storeContract} with a way to open an empty
 * store and, when it is durable, a way to open the same one again after `close`.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { auditChainStart, firstBreak } from '../../src/core/audit/chain.ts'
import type { Credential } from '../../src/core/identity/credential.ts'
import type { Identity } from '../../src/core/identity/identity.ts'
import type { Token } from '../../src/core/identity/token.ts'
import { limits } from '../../src/core/limits.ts'
import type { NewAttempt } from '../../src/hub/ports/attempts.ts'
import type { NewAuditEntry } from '../../src/hub/ports/audit.ts'
import { fullCrl } from '../../src/hub/ports/crls.ts'
import type { NewHubEvent } from '../../src/hub/ports/events.ts'
import type { Page } from '../../src/hub/ports/page.ts'
import type { Store } from '../../src/hub/ports/store.ts'
import { authorityContract } from './store-authority.ts'
import { fakeApiKey, fakeAttempt, fakeAuthority, fakeCredential, fakeIdentity, fakeToken } from './store-fakes.ts'
import { listContract } from './store-lists.ts'
import { policyContract } from './store-policy.ts'

export interface OpenedStore {
  readonly store: Store
  /** Opens the same store again, after it was closed. */
  reopen?(): Promise<Store>
}

export function storeContract(name: string, open: () => Promise<OpenedStore>): void {
  describe(`store contract: ${name}`, () => {
    let opened: OpenedStore
    let store: Store
    before(async () => {
      opened = await open()
      store = opened.store
    })
    after(() => store.close())

    identityContract(() => store)
    bulkContract(() => store)
    listContract(() => store)
    credentialContract(() => store)
    smallTablesContract(() => store)
    authorityContract(() => store)
    policyContract(() => store)
    auditContract(() => store)
    sharedWorkContract(() => store)
    adoptionContract(() => store)
    followContract(() => store)
    eventNumberContract(() => store)
    attemptContract(() => store)
    countContract(() => store)
    unitContract(() => store)

    test('what was acknowledged is there after the store is closed and opened again', async (t) => {
      if (opened.reopen === undefined) return t.skip('the adapter is not durable')
      const identity = fakeIdentity('durable-1')
      await store.write((tx) => tx.identities.insert(identity))
      const late = store.write((tx) => tx.identities.insert(fakeIdentity('durable-2')))
      await store.close()
      await late
      await assert.rejects(
        store.write(async () => {}),
        { code: 'store-unavailable' },
      )
      await assert.rejects(store.identities.find(identity.id), { code: 'store-unavailable' })
      store = await opened.reopen()
      assert.deepEqual(await store.identities.find(identity.id), identity)
      assert.notEqual(await store.identities.find(fakeIdentity('durable-2').id), null, 'close writes what was accepted')
    })
  })
}

function identityContract(store: () => Store): void {
  test('an identity is read as it was written', async () => {
    const identity = fakeIdentity('line-1.pump', {
      group: 'hall/none'.slice(0, 4),
      attributes: { site: 'Köln', b: '' },
    })
    await store().write((tx) => tx.identities.insert(identity))
    assert.deepEqual(await store().identities.find(identity.id), identity)
    assert.equal(await store().identities.find(fakeIdentity('line-2').id), null)
    const changed: Identity = { ...identity, state: 'active', group: null, attributes: {}, updatedAtMs: 9_000 }
    await store().write((tx) => tx.identities.update(changed))
    assert.deepEqual(await store().identities.find(identity.id), changed)
  })

  test('an id is taken once, and stays taken after its identity has retired', async () => {
    const identity = fakeIdentity('once')
    await store().write((tx) => tx.identities.insert(identity))
    await assert.rejects(
      store().write((tx) => tx.identities.insert(identity)),
      { code: 'identity-exists' },
    )
    await store().write((tx) => tx.identities.update({ ...identity, state: 'retired' }))
    await assert.rejects(
      store().write((tx) => tx.identities.insert({ ...identity, kind: 'service' })),
      { code: 'identity-exists' },
    )
    assert.equal((await store().identities.find(identity.id))?.state, 'retired')
  })

  test('ids that differ in case only are two identities, listed by code point', async () => {
    await store().write(async (tx) => {
      for (const id of ['case-b', 'case-B', 'case-a']) await tx.identities.insert(fakeIdentity(id, { group: 'case' }))
    })
    const { items, next } = await store().identities.list({ group: 'case', after: null, limit: 10 })
    assert.deepEqual(
      items.map((identity) => identity.id),
      ['case-B', 'case-a', 'case-b'],
    )
    assert.equal(next, null)
  })

  test('a list is complete and free of duplicates although rows are inserted between its pages', async () => {
    const group = 'pages'
    const insert = (id: string) =>
      store().write((tx) => tx.identities.insert(fakeIdentity(id, { group, state: 'active' })))
    await Promise.all(Array.from({ length: 10 }, (_, i) => insert(`page-${i}0`)))
    const seen: string[] = []
    let page: Page<Identity> = await store().identities.list({ group, after: null, limit: 3 })
    for (let step = 0; ; step++) {
      seen.push(...page.items.map((identity) => identity.id))
      if (page.next === null) break
      await insert(`page-${step}5`)
      page = await store().identities.list({ group, kind: 'device', state: 'active', after: page.next, limit: 3 })
    }
    assert.equal(new Set(seen).size, seen.length)
    assert.deepEqual([...seen].sort(), seen)
    for (let i = 0; i < 10; i++) assert.ok(seen.includes(`page-${i}0`))
  })

  test('a page that is exactly full is the last one', async () => {
    await store().write(async (tx) => {
      for (const id of ['full-1', 'full-2']) await tx.identities.insert(fakeIdentity(id, { group: 'full' }))
    })
    const page = await store().identities.list({ group: 'full', after: null, limit: 2 })
    assert.equal(page.items.length, 2)
    assert.equal(page.next, null)
  })
}

function bulkContract(store: () => Store): void {
  test('many rows are written by one call, and all are refused when one id is taken', async () => {
    const group = 'bulk'
    const many = Array.from({ length: limits.bulkRowsMax }, (_, i) =>
      fakeIdentity(`bulk-${String(i).padStart(4, '0')}`, { group }),
    )
    const tokens = many.map(({ id }, i) => fakeToken(`b${i.toString(16).padStart(15, '0')}`, id))
    await store().write(async (tx) => {
      await tx.identities.insertAll(many)
      await tx.tokens.insertAll(tokens)
      await tx.identities.insertAll([])
      await tx.tokens.insertAll([])
    })
    const { items } = await store().identities.list({ group, after: null, limit: limits.bulkRowsMax })
    assert.deepEqual(items, many)
    assert.deepEqual(await store().tokens.openOf(fakeIdentity('bulk-0007').id), [tokens[7]])
    const found = await store().identities.findAll(
      [fakeIdentity('bulk-none').id, ...many.map(({ id }) => id)].slice(0, 9),
    )
    assert.deepEqual(
      found.map(({ id }) => id).sort(),
      many.slice(0, 8).map(({ id }) => id),
    )
    assert.deepEqual(await store().identities.findAll([]), [])
    await assert.rejects(
      store().write((tx) => tx.identities.insertAll([fakeIdentity('bulk-new'), fakeIdentity('bulk-0001')])),
      { code: 'identity-exists' },
    )
    assert.equal(await store().identities.find(fakeIdentity('bulk-new').id), null)
  })

  test('more rows than one statement takes are a mistake of ours', async () => {
    const many = Array.from({ length: limits.bulkRowsMax + 1 }, (_, i) => fakeIdentity(`over-${i}`))
    await assert.rejects(
      store().write((tx) => tx.identities.insertAll(many)),
      { name: 'CodingError' },
    )
    await assert.rejects(store().identities.findAll(many.map(({ id }) => id)), { name: 'CodingError' })
  })
}

function credentialContract(store: () => Store): void {
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

function smallTablesContract(store: () => Store): void {
  test('a token is read as it was written, and only open ones are listed', async () => {
    const identity = fakeIdentity('token-holder')
    const first = fakeToken('a'.repeat(16), identity.id)
    const second = fakeToken('b'.repeat(16), identity.id)
    await store().write(async (tx) => {
      await tx.identities.insert(identity)
      await tx.tokens.insert(second)
      await tx.tokens.insert(first)
    })
    assert.deepEqual(await store().tokens.find(first.id), first)
    assert.deepEqual(await store().tokens.openOf(identity.id), [second, first])
    const used: Token = { ...second, state: 'used', usedAtMs: 77 }
    await store().write((tx) => tx.tokens.update(used))
    assert.deepEqual(await store().tokens.find(second.id), used)
    assert.deepEqual(await store().tokens.openOf(identity.id), [first])
    assert.equal(await store().tokens.find('c'.repeat(16)), null)
  })

  test('authorities are listed in order of creation, also within one millisecond', async () => {
    const root = fakeAuthority('root-1', { role: 'root', parentId: null })
    const issuing = fakeAuthority('issuing-1')
    await store().write(async (tx) => {
      await tx.authorities.insert(root)
      await tx.authorities.insert(issuing)
    })
    assert.deepEqual(await store().authorities.all(), [root, issuing])
  })

  test('a CRL replaces the one before it and keeps numbers of 20 octets', async () => {
    const row = {
      authorityId: 'issuing-1',
      shard: fullCrl,
      number: 2n ** 158n,
      thisUpdateMs: 1,
      nextUpdateMs: 2,
      crl: Uint8Array.of(3),
      eventNumber: 9,
    }
    assert.equal(await store().crls.latest('issuing-1', fullCrl), null)
    await store().write((tx) => tx.crls.save({ ...row, number: 1n }))
    await store().write((tx) => tx.crls.save(row))
    assert.deepEqual(await store().crls.latest('issuing-1', fullCrl), row)
  })

  test('API keys and settings are read as they were written', async () => {
    const key = fakeApiKey()
    await store().write(async (tx) => {
      await tx.apiKeys.insert(key)
      await tx.settings.set('realm', 'a')
      await tx.settings.set('realm', 'b')
    })
    assert.deepEqual(await store().apiKeys.find(key.id), key)
    assert.equal(await store().apiKeys.find('none'), null)
    assert.deepEqual(await store().write((tx) => tx.apiKeys.removeNamed('another')), [])
    assert.deepEqual(await store().apiKeys.find(key.id), key)
    assert.deepEqual(await store().write((tx) => tx.apiKeys.removeNamed(key.name)), [key.id])
    assert.equal(await store().apiKeys.find(key.id), null)
    await store().write((tx) => tx.apiKeys.insert(key))
    assert.equal(await store().write((tx) => tx.apiKeys.remove(key.id)), true)
    assert.equal(await store().write((tx) => tx.apiKeys.remove(key.id)), false)
    assert.equal(await store().settings.find('realm'), 'b')
    assert.equal(await store().settings.find('none'), null)
  })

  test('audit entries are listed newest first, with what was before and after', async () => {
    const entry = (subject: string) => ({
      atMs: 3,
      actor: 'key:admin',
      act: 'identity.disable',
      subject,
      before: { state: 'active' },
      after: null,
    })
    for (const subject of ['a', 'b', 'c']) await store().write((tx) => tx.audit.append(entry(subject)))
    const first = await store().audit.list({ after: null, limit: 2 })
    assert.deepEqual(
      first.items.map((item) => item.subject),
      ['c', 'b'],
    )
    await store().write((tx) => tx.audit.append(entry('d')))
    const second = await store().audit.list({ after: first.next, limit: 2 })
    const [last] = second.items
    assert.equal(second.items.length, 1)
    assert.equal(second.next, null)
    assert.deepEqual(last, { ...entry('a'), number: last?.number, hash: last?.hash })
  })
}

function auditContract(store: () => Store): void {
  const entry = (subject: string): NewAuditEntry => ({
    atMs: 4,
    actor: 'hub',
    act: 'test',
    subject,
    before: { name: 'Zoë \u0000', '2': 1, '10': [null] },
    after: undefined,
  })

  test('audit entries are a chain without gaps, whoever writes and whatever fails between', async () => {
    const start = await store().audit.head()
    const write = (subject: string, fails = false) =>
      store().write(async (tx) => {
        await tx.audit.append(entry(subject))
        if (fails) throw new Error('no')
        await tx.audit.appendAll([entry(`${subject}-2`), entry(`${subject}-3`)])
      })
    await Promise.allSettled([write('one'), write('lost', true), write('two'), write('three')])
    await store().write((tx) => tx.audit.appendAll([]))
    const entries = await store().audit.after(start.number, limits.pageRowsMax)
    assert.deepEqual(
      entries.map(({ subject }) => subject),
      ['one', 'one-2', 'one-3', 'two', 'two-2', 'two-3', 'three', 'three-2', 'three-3'],
    )
    assert.equal(firstBreak(start, entries), null)
    const last = entries.at(-1)
    assert.deepEqual(await store().audit.head(), { number: last?.number, hash: last?.hash })
    assert.deepEqual(await store().audit.after(start.number + 2, 2), entries.slice(2, 4))
  })

  test('the first entry stands behind a hash of zeros', async () => {
    const [first] = await store().audit.after(0, 1)
    assert.ok(first !== undefined)
    assert.equal(firstBreak({ number: 0, hash: auditChainStart }, [first]), null)
  })
}

function sharedWorkContract(store: () => Store): void {
  test('a lease has one holder at a time, who may renew it or give it back', async () => {
    const acquire = (holder: string, ttlMs: number) => store().write((tx) => tx.leases.acquire('work', holder, ttlMs))
    assert.equal(await acquire('one', 3_600_000), true)
    assert.equal(await acquire('two', 3_600_000), false)
    assert.equal(await acquire('one', 3_600_000), true)
    await store().write((tx) => tx.leases.release('work', 'two'))
    assert.equal(await acquire('two', 3_600_000), false)
    await store().write((tx) => tx.leases.release('work', 'one'))
    assert.equal(await acquire('two', 0), true)
    assert.equal(await acquire('three', 3_600_000), true, 'a lease that is over is free')
    assert.equal(await acquire('two', 3_600_000), false)
  })

  test('a sealed key is written once and never replaced', async () => {
    const insert = (content: string) => store().write((tx) => tx.sealedKeys.insert('root-1', content))
    assert.equal(await store().sealedKeys.find('root-1'), null)
    assert.equal(await insert('{"a":1}'), true)
    assert.equal(await insert('{"b":2}'), false)
    assert.equal(await store().sealedKeys.find('root-1'), '{"a":1}')
    assert.deepEqual(await store().sealedKeys.names(), ['root-1'])
  })

  test('an answer to an idempotent request is kept until it is removed by age', async () => {
    const answer = (key: string, createdAtMs: number) => ({
      key,
      requestHash: Uint8Array.of(1, 2),
      answer: Uint8Array.of(0, 255),
      createdAtMs,
    })
    await store().write(async (tx) => {
      await tx.idempotency.insert(answer('old', 5))
      await tx.idempotency.insert(answer('new', 6))
    })
    assert.deepEqual(await store().idempotency.find('old'), answer('old', 5))
    await assert.rejects(store().write((tx) => tx.idempotency.insert(answer('old', 7))))
    assert.equal(await store().write((tx) => tx.idempotency.removeBefore(6, 10)), 1)
    assert.equal(await store().idempotency.find('old'), null)
    assert.deepEqual(await store().idempotency.find('new'), answer('new', 6))
    await store().write((tx) => tx.idempotency.remove('new'))
    assert.equal(await store().idempotency.find('new'), null)
  })

  test('old answers are removed a bounded number at a time, the oldest first', async () => {
    const answer = (age: number) => ({
      key: `aged-${age}`,
      requestHash: Uint8Array.of(1),
      answer: Uint8Array.of(2),
      createdAtMs: 100 - age,
    })
    await store().write(async (tx) => {
      for (const age of [1, 4, 2, 5, 3]) await tx.idempotency.insert(answer(age))
    })
    const left = async () => {
      const found = await Promise.all([1, 2, 3, 4, 5].map((age) => store().idempotency.find(`aged-${age}`)))
      return found.flatMap((each) => (each === null ? [] : [100 - each.createdAtMs]))
    }
    assert.equal(await store().write((tx) => tx.idempotency.removeBefore(99, 2)), 2)
    assert.deepEqual(await left(), [1, 2, 3])
    assert.equal(await store().write((tx) => tx.idempotency.removeBefore(99, 10)), 2)
    assert.deepEqual(await left(), [1])
  })
}

function adoptionContract(store: () => Store): void {
  test('what waits for adoption is kept by identity, replaced, listed and removed', async () => {
    const identities = ['wait-b', 'wait-a', 'wait-c'].map((id) => fakeIdentity(id, { attributes: { site: 'Zoë' } }))
    const ids = identities.map(({ id }) => id)
    const unadopted = (n: number, of: number): Credential =>
      fakeCredential(3_000 + n, { identityId: ids[of] ?? fakeIdentity('none').id, state: 'unadopted' })
    await store().write(async (tx) => {
      await tx.identities.insertAll(identities)
      await tx.adoptions.saveAll(identities.map((identity) => ({ identity, versionThen: 1 })))
      await tx.adoptions.saveAll([{ identity: { ...fakeIdentity('wait-a'), state: 'active' }, versionThen: 4 }])
      await tx.adoptions.saveAll([])
      await tx.credentials.insertAll([unadopted(2, 0), unadopted(1, 0), unadopted(3, 1)])
      await tx.credentials.insert({ ...unadopted(4, 1), state: 'active' })
    })
    assert.equal(await store().adoptions.count(), 3)
    const first = await store().adoptions.list({ after: null, limit: 2 })
    assert.deepEqual(first.items, [
      { identity: { ...fakeIdentity('wait-a'), state: 'active' }, versionThen: 4 },
      { identity: identities[0], versionThen: 1 },
    ])
    const second = await store().adoptions.list({ after: first.next, limit: 2 })
    assert.deepEqual(second, { items: [{ identity: identities[2], versionThen: 1 }], next: null })
    const waiting = await store().credentials.unadoptedOf(ids)
    assert.deepEqual(waiting, [unadopted(1, 0), unadopted(2, 0), unadopted(3, 1)])

    await store().write((tx) => tx.adoptions.removeAll(ids.slice(1)))
    assert.equal(await store().adoptions.count(), 1)
    assert.equal(await store().adoptions.find(fakeIdentity('wait-a').id), null)
    assert.deepEqual(await store().adoptions.find(fakeIdentity('wait-b').id), {
      identity: identities[0],
      versionThen: 1,
    })
  })
}

function followContract(store: () => Store): void {
  const event = (id: string): NewHubEvent => ({ type: 'identity-registered', identityId: fakeIdentity(id).id })

  test('events are numbered in the order of commits, whoever began first', async () => {
    const start = await store().events.last()
    const seen: number[] = []
    const follow = async () => {
      const found = await store().events.after(seen.at(-1) ?? start, limits.pageRowsMax)
      seen.push(...found.map(({ number }) => number))
    }
    const slow = store().write(async (tx) => {
      await tx.events.append(event('began-first'))
      for (let i = 0; i < 50; i++) {
        await tx.settings.find('none')
        if (i % 10 === 0) await follow()
      }
      await tx.events.append(event('began-first-2'))
    })
    const quick = Array.from({ length: 20 }, (_, i) => store().write((tx) => tx.events.append(event(`quick-${i}`))))
    while (seen.length < 22) {
      await Promise.race([slow, ...quick])
      await follow()
    }
    await Promise.all([slow, ...quick])
    const all = await store().events.after(start, limits.pageRowsMax)
    assert.deepEqual(
      all.map(({ number }) => number),
      seen,
      'a follower misses nothing',
    )
    assert.equal(all.length, 22)
    assert.equal(await store().events.last(), all.at(-1)?.number)
    assert.equal((await store().events.after(start, 3)).length, 3)
  })

  test('listeners are called after the commit, when its events can be read, and not for a unit that failed', async () => {
    const start = await store().events.last()
    const numbers: Promise<number>[] = []
    const stop = store().onEvents(() => numbers.push(store().events.last()))
    await store().write(async (tx) => {
      await tx.events.append(event('listened'))
      await tx.settings.find('none')
      assert.equal(numbers.length, 0)
    })
    await assert.rejects(
      store().write(async (tx) => {
        await tx.events.append(event('failed'))
        throw new Error('no')
      }),
      { message: 'no' },
    )
    await store().write((tx) => tx.settings.set('quiet', '1'))
    stop()
    await store().write((tx) => tx.events.append(event('unheard')))
    assert.deepEqual(await Promise.all(numbers), [start + 1])
    const [first] = await store().events.after(start, 1)
    assert.deepEqual(first, { ...event('listened'), number: start + 1, atMs: first?.atMs })
    assert.equal(await store().events.last(), start + 2, 'a unit that failed leaves no gap behind')
  })
}

function eventNumberContract(store: () => Store): void {
  const event = (id: string): NewHubEvent => ({ type: 'identity-registered', identityId: fakeIdentity(id).id })

  test('numbers go on above one that was given away in another life, and never fall back below the last', async () => {
    const last = await store().events.last()
    await store().write(async (tx) => {
      await tx.events.appendAbove(last + 100, event('far'))
      await tx.events.append(event('next'))
      await tx.events.appendAbove(5, event('low'))
    })
    const numbers = (await store().events.after(last, 10)).map(({ number }) => number)
    assert.deepEqual(numbers, [last + 101, last + 102, last + 103])
  })
}

function attemptContract(store: () => Store): void {
  test('attempts are filtered, paged both ways and read as they were written', async () => {
    const attempts: NewAttempt[] = Array.from({ length: 250 }, (_, i) => fakeAttempt(i))
    await store().write((tx) => tx.attempts.insertAll(attempts))
    const newest = await store().attempts.list({ order: 'newest', after: null, limit: 1 })
    const [last] = newest.items
    assert.deepEqual(last, { ...attempts[249], number: last?.number })
    const refused = { outcome: 'refused', code: 'certificate-revoked', identityId: 'pump-3' } as const
    const seen: number[] = []
    let after: string | null = null
    do {
      const page: Awaited<ReturnType<Store['attempts']['list']>> = await store().attempts.list({
        ...refused,
        order: 'oldest',
        after,
        limit: 7,
      })
      seen.push(...page.items.map((attempt) => attempt.atMs))
      after = page.next
    } while (after !== null)
    assert.deepEqual(
      seen,
      attempts.filter((a) => a.outcome === 'refused' && a.identityId === 'pump-3').map((a) => a.atMs),
    )
    assert.ok(seen.length > 7)
  })

  test('the newest attempts are kept, and numbers never come back', async () => {
    await store().write(async (tx) => {
      await tx.attempts.insertAll(Array.from({ length: 20 }, (_, i) => fakeAttempt(i)))
      await tx.attempts.keepNewest(5)
    })
    const kept = await store().attempts.list({ order: 'oldest', after: null, limit: 100 })
    assert.deepEqual(
      kept.items.map((attempt) => attempt.atMs),
      [15, 16, 17, 18, 19],
    )
    await store().write(async (tx) => {
      await tx.attempts.keepNewest(5)
      await tx.attempts.keepNewest(0)
      await tx.attempts.insertAll([fakeAttempt(1)])
    })
    const [next] = (await store().attempts.list({ order: 'oldest', after: null, limit: 1 })).items
    assert.equal(next?.number, (kept.items.at(-1)?.number ?? 0) + 1)
    await store().write((tx) => tx.attempts.insertAll([]))
  })
}

function countContract(store: () => Store): void {
  test('certificates are counted by authority, state and end, from the first second and before the last', async () => {
    const id = fakeIdentity('counted')
    const ends = [100, 199, 200, 200, 299, 300]
    await store().write(async (tx) => {
      await tx.identities.insert(id)
      for (const [index, notAfterSec] of ends.entries()) {
        const where = { identityId: id.id, authorityId: 'counted', notAfterSec, state: 'active' } as const
        await tx.credentials.insert(fakeCredential(70_000 + index, where))
        await tx.credentials.insert(fakeCredential(71_000 + index, { ...where, state: 'superseded' }))
        await tx.credentials.insert(fakeCredential(72_000 + index, { ...where, authorityId: 'other' }))
      }
    })
    const count = (fromSec: number, beforeSec: number): Promise<number> =>
      store().counts.credentialsEnding({ authorityId: 'counted', state: 'active', fromSec, beforeSec })
    assert.deepEqual(
      await Promise.all([count(0, 100), count(100, 200), count(200, 300), count(300, 2 ** 50)]),
      [0, 2, 3, 1],
    )
    assert.equal(await count(300, 200), 0)

    await store().write(async (tx) => {
      for (const [index, profile] of ['plc', 'plc', 'dual', 'device'].entries()) {
        const where = { identityId: id.id, authorityId: 'counted', notAfterSec: 250, state: 'active', profile } as const
        await tx.credentials.insert(fakeCredential(73_000 + index, where))
      }
    })
    const ofProfile = (profile: string): Promise<number> =>
      store().counts.credentialsEnding({
        authorityId: 'counted',
        state: 'active',
        fromSec: 200,
        beforeSec: 300,
        profile,
      })
    assert.deepEqual(await Promise.all([ofProfile('plc'), ofProfile('dual'), ofProfile('server')]), [2, 1, 0])
    assert.equal(await count(200, 300), 7)
    assert.equal(await store().profiles.hasLiving('plc', 250), true)
    assert.equal(await store().profiles.hasLiving('plc', 251), false)
  })

  test('identities are counted by state', async () => {
    const before = await store().counts.identitiesIn('disabled')
    await store().write((tx) =>
      tx.identities.insertAll(['a', 'b', 'c'].map((id) => fakeIdentity(`counted-${id}`, { state: 'disabled' }))),
    )
    assert.equal(await store().counts.identitiesIn('disabled'), before + 3)
  })

  test('writes that wait are counted', async () => {
    const writes = Array.from({ length: 5 }, (_, i) => store().write((tx) => tx.settings.set(`waits-${i}`, 'set')))
    assert.deepEqual(store().health(), { unitsWaiting: 5, isWriting: true })
    await Promise.all(writes)
    assert.deepEqual(store().health(), { unitsWaiting: 0, isWriting: true })
  })
}

function unitContract(store: () => Store): void {
  test('a unit that fails leaves nothing, and its neighbours in the same commit are whole', async () => {
    const unit = (id: string, fail: boolean) =>
      store().write(async (tx) => {
        await tx.identities.insert(fakeIdentity(`${id}-1`, { group: 'units' }))
        await tx.settings.set(`unit-${id}`, 'set')
        if (fail) throw new Error(`refused ${id}`)
        await tx.identities.insert(fakeIdentity(`${id}-2`, { group: 'units' }))
        return id
      })
    const results = await Promise.allSettled([unit('good', false), unit('bad', true), unit('fine', false)])
    assert.deepEqual(
      results.map((result) => (result.status === 'fulfilled' ? result.value : String(result.reason.message))),
      ['good', 'refused bad', 'fine'],
    )
    const { items } = await store().identities.list({ group: 'units', after: null, limit: 10 })
    assert.deepEqual(
      items.map(({ id }) => id),
      ['fine-1', 'fine-2', 'good-1', 'good-2'],
    )
    assert.equal(await store().settings.find('unit-bad'), null)
  })

  test('a unit that fails while other statements of it are under way leaves none of them', async () => {
    const taken = fakeIdentity('under-way')
    await store().write((tx) => tx.identities.insert(taken))
    const failing = store().write((tx) =>
      Promise.all([
        tx.identities.insert(taken),
        ...Array.from({ length: 20 }, (_, i) => tx.settings.set(`under-way-${i}`, 'set')),
      ]),
    )
    const neighbour = store().write((tx) => tx.settings.set('under-way-neighbour', 'set'))
    await assert.rejects(failing, { code: 'identity-exists' })
    await neighbour
    for (let i = 0; i < 20; i++) assert.equal(await store().settings.find(`under-way-${i}`), null)
    assert.equal(await store().settings.find('under-way-neighbour'), 'set')
  })

  test('a transaction sees its own writes, and nobody else does before the commit', async () => {
    const identity = fakeIdentity('unseen')
    const within = await store().write(async (tx) => {
      await tx.identities.insert(identity)
      const outside = await store().identities.find(identity.id)
      return { inside: await tx.identities.find(identity.id), outside }
    })
    assert.deepEqual(within.inside, identity)
    assert.equal(within.outside, null)
    assert.deepEqual(await store().identities.find(identity.id), identity)
  })

  test('a thousand units at once are all written', async () => {
    const ids = Array.from({ length: 1_000 }, (_, i) => `many-${i}`)
    await Promise.all(ids.map((id) => store().write((tx) => tx.identities.insert(fakeIdentity(id, { group: 'many' })))))
    const { items } = await store().identities.list({ group: 'many', after: null, limit: 1_000 })
    assert.equal(items.length, 1_000)
  })

  test('more units than may wait are refused, and those accepted are written', async () => {
    const waiting = Array.from({ length: limits.transactionsWaitingMax + 300 }, () => store().write(async () => 1))
    const results = await Promise.allSettled(waiting)
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []))
    assert.ok(refused.length > 0 && refused.length <= 300)
    assert.deepEqual([...new Set(refused)], ['store-unavailable'])
  })

  test('a transaction that has ended refuses to be used', async () => {
    const kept = await store().write(async (tx) => ({ tx }))
    await assert.rejects(kept.tx.settings.set('late', '1'), { name: 'CodingError' })
  })
}

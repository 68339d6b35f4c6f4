/** What lists of every adapter must do: filters that all hold, pages that go on, cursors that belong to one list. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../../src/core/limits.ts'
import type { Page } from '../../../src/hub/ports/page.ts'
import type { CredentialQuery, IdentityQuery, Store } from '../../../src/hub/ports/store.ts'
import { fakeAttempt, fakeCredential, fakeIdentity } from '../store-fakes.ts'

/** All pages of a list, and how many they were. */
async function walked<T>(list: (after: string | null) => Promise<Page<T>>): Promise<{ items: T[]; pages: number }> {
  const items: T[] = []
  let after: string | null = null
  let pages = 0
  do {
    const page: Page<T> = await list(after)
    items.push(...page.items)
    after = page.next
    pages += 1
  } while (after !== null)
  return { items, pages }
}

export function listContract(store: () => Store): void {
  const idsOf = async (query: Omit<IdentityQuery, 'after' | 'limit'>) => {
    const { items } = await walked((after) => store().identities.list({ ...query, after, limit: 2 }))
    return items.map(({ id }) => id)
  }

  test('identities are found by every filter and by all of them together', async () => {
    await store().write((tx) =>
      tx.identities.insertAll([
        fakeIdentity('flt-a1', { group: 'flt-1', state: 'active', attributes: { fsite: 'hall-1', fline: '1' } }),
        fakeIdentity('flt-a2', { group: 'flt-1', state: 'disabled', attributes: { fsite: 'hall-1', fline: '2' } }),
        fakeIdentity('flt-a3', { group: 'flt-2', state: 'active', attributes: { fsite: 'hall-1' } }),
        fakeIdentity('flt-b1', { group: 'flt-1', state: 'active', attributes: { fsite: 'hall-2', fline: '1' } }),
        fakeIdentity('flt-B1', { group: 'flt-2', state: 'active', attributes: { fsite: 'Hall-1', fline: '' } }),
      ]),
    )
    assert.deepEqual(await idsOf({ idPrefix: 'flt-a' }), ['flt-a1', 'flt-a2', 'flt-a3'])
    assert.deepEqual(await idsOf({ idPrefix: 'flt-a', state: 'active' }), ['flt-a1', 'flt-a3'])
    assert.deepEqual(await idsOf({ attributes: { fsite: 'hall-1' } }), ['flt-a1', 'flt-a2', 'flt-a3'])
    assert.deepEqual(await idsOf({ attributes: { fline: '' } }), ['flt-B1'])
    assert.deepEqual(await idsOf({ attributes: { fsite: 'hall-1', fline: '1' } }), ['flt-a1'])
    assert.deepEqual(await idsOf({ attributes: { fline: '1', fsite: 'hall-2' }, group: 'flt-1' }), ['flt-b1'])
    assert.deepEqual(await idsOf({ attributes: { fsite: 'hall-1' }, state: 'disabled', idPrefix: 'flt-' }), ['flt-a2'])
    assert.deepEqual(await idsOf({ attributes: { fsite: 'hall-1' }, group: 'flt-2', kind: 'device' }), ['flt-a3'])
    assert.deepEqual(await idsOf({ attributes: { fsite: 'hall-1' }, kind: 'service' }), [])
    assert.deepEqual(await idsOf({ group: 'flt-1', state: 'active' }), ['flt-a1', 'flt-b1'])
    assert.deepEqual(await idsOf({ attributes: { none: 'x' } }), [])
  })

  test('what is narrowed to groups shows devices and services of those groups and nothing else', async () => {
    const ids = ['own-a1', 'own-b1', 'own-b2', 'own-c1', 'own-none', 'own-user'] as const
    const place = { 'own-a1': 'own-a', 'own-b1': 'own-b', 'own-b2': 'own-b', 'own-c1': 'own-c', 'own-none': null }
    const made = ids.map((id) =>
      fakeIdentity(id, {
        group: id === 'own-user' ? 'own-a' : place[id],
        state: 'active',
        kind: id === 'own-user' ? 'user' : id === 'own-b2' ? 'service' : 'device',
        attributes: { osite: id === 'own-b1' ? 'x' : 'y' },
      }),
    )
    await store().write(async (tx) => {
      await tx.identities.insertAll(made)
      await tx.credentials.insertAll(
        made.map(({ id: identityId }, i) => fakeCredential(9_100 + i, { identityId, profile: 'own' })),
      )
      await tx.attempts.insertAll([...ids, null].map((id) => ({ ...fakeAttempt(1), identityId: id, listener: 'own' })))
    })
    const own = ['own-a', 'own-b']
    const shown = ['own-a1', 'own-b1', 'own-b2']
    assert.deepEqual(await idsOf({ inGroups: own }), shown)
    assert.deepEqual(await idsOf({ inGroups: ['own-b'] }), ['own-b1', 'own-b2'])
    assert.deepEqual(await idsOf({ inGroups: own, group: 'own-c' }), [])
    assert.deepEqual(await idsOf({ inGroups: own, group: 'own-b', kind: 'device' }), ['own-b1'])
    assert.deepEqual(await idsOf({ inGroups: own, attributes: { osite: 'y' } }), ['own-a1', 'own-b2'])
    assert.deepEqual(await idsOf({ inGroups: own, idPrefix: 'own-b', state: 'active' }), ['own-b1', 'own-b2'])
    assert.deepEqual(await idsOf({ inGroups: [] }), [])
    const certificates = await walked((after) =>
      store().credentials.list({ inGroups: own, profile: 'own', after, limit: 2 }),
    )
    assert.deepEqual(certificates.items.map(({ identityId }) => identityId).sort(), shown)
    for (const order of ['oldest', 'newest'] as const) {
      const attempts = await walked((after) => store().attempts.list({ inGroups: own, order, after, limit: 2 }))
      assert.deepEqual(attempts.items.map(({ identityId }) => identityId).sort(), shown)
    }
    const foreign = await store().attempts.list({
      inGroups: own,
      identityId: 'own-c1',
      order: 'newest',
      after: null,
      limit: 9,
    })
    assert.deepEqual(foreign.items, [])
  })

  test('a page that is narrowed to groups names no other row, not even in its cursor', async () => {
    const rows = limits.pageRowsReadMax + 10
    for (let start = 0; start < rows; start += limits.bulkRowsMax) {
      const count = Math.min(limits.bulkRowsMax, rows - start)
      const some = Array.from({ length: count }, (_, i) =>
        fakeIdentity(`hid-${String(start + i).padStart(6, '0')}`, { group: 'hid-other', attributes: { hsite: 'x' } }),
      )
      await store().write((tx) => tx.identities.insertAll(some))
    }
    await store().write((tx) =>
      tx.identities.insert(fakeIdentity('hid-own', { group: 'hid-own', attributes: { hsite: 'x' } })),
    )
    const query = { inGroups: ['hid-own'], attributes: { hsite: 'x' }, after: null, limit: 9 } as const
    const page = await store().identities.list(query)
    assert.deepEqual([page.items.map(({ id }) => id), page.next], [['hid-own'], null])
  })

  test('an identity is found by the attributes it has now', async () => {
    const identity = fakeIdentity('edited', { attributes: { estate: 'old', ekept: '1', egone: 'x' } })
    await store().write((tx) => tx.identities.insert(identity))
    await store().write((tx) =>
      tx.identities.update({ ...identity, attributes: { estate: 'new', ekept: '1', ecame: 'y' } }),
    )
    for (const attributes of [{ estate: 'old' }, { egone: 'x' }]) assert.deepEqual(await idsOf({ attributes }), [])
    for (const attributes of [{ estate: 'new' }, { ekept: '1' }, { ecame: 'y' }]) {
      assert.deepEqual(await idsOf({ attributes }), ['edited'])
    }
  })

  test('where filters leave little, a page ends early and the next goes on, until all is found', async () => {
    const rows = limits.pageRowsReadMax + 500
    const wanted = new Set([3, limits.pageRowsReadMax - 1, limits.pageRowsReadMax, rows - 1])
    for (let start = 0; start < rows; start += limits.bulkRowsMax) {
      const count = Math.min(limits.bulkRowsMax, rows - start)
      const some = Array.from({ length: count }, (_, i) =>
        fakeIdentity(`rare-${String(start + i).padStart(6, '0')}`, {
          group: 'rare',
          state: wanted.has(start + i) ? 'disabled' : 'active',
        }),
      )
      await store().write((tx) => tx.identities.insertAll(some))
    }
    const rare = { group: 'rare', state: 'disabled', limit: 100 } as const
    const first = await store().identities.list({ ...rare, after: null })
    assert.equal(first.items.length, 2)
    assert.notEqual(first.next, null)
    const { items, pages } = await walked((after) => store().identities.list({ ...rare, after }))
    assert.equal(items.length, wanted.size)
    assert.equal(pages, 2)
  })

  test('a cursor is one of its own list, and only as it was given', async () => {
    await store().write(async (tx) => {
      await tx.identities.insertAll(['cur-1', 'cur-2', 'cur-3'].map((id) => fakeIdentity(id)))
      await tx.attempts.insertAll([fakeAttempt(1), fakeAttempt(1), fakeAttempt(1)])
    })
    const { identities, attempts, audit } = store()
    const { next } = await identities.list({ idPrefix: 'cur-', after: null, limit: 1 })
    const newest = (await attempts.list({ order: 'newest', after: null, limit: 1 })).next
    assert.ok(next !== null && newest !== null)
    const wrong = { code: 'cursor-invalid' }
    const noId = Buffer.from('identities cur\0').toString('base64url')
    for (const after of ['', 'cur-1', newest, `${next}=`, next.slice(1), '!', noId]) {
      await assert.rejects(identities.list({ after, limit: 1 }), wrong, after)
    }
    for (const after of [next, '7', `${newest} `]) {
      await assert.rejects(attempts.list({ order: 'newest', after, limit: 1 }), wrong, after)
      await assert.rejects(audit.list({ after, limit: 1 }), wrong, after)
    }
    await assert.rejects(attempts.list({ order: 'oldest', after: newest, limit: 1 }), wrong)
  })

  test('credentials are found by every filter and by all of them together, newest first', async () => {
    const [pump, broker] = [fakeIdentity('lst-pump'), fakeIdentity('lst-broker', { kind: 'service' })]
    const of = (n: number, identityId: typeof pump.id, change: Parameters<typeof fakeCredential>[1]) =>
      fakeCredential(n, { identityId, ...change })
    await store().write(async (tx) => {
      await tx.identities.insertAll([pump, broker])
      await tx.credentials.insertAll([
        of(7_001, pump.id, { state: 'superseded', profile: 'lst-device', notAfterSec: 5_000 }),
        of(7_002, broker.id, { state: 'active', profile: 'lst-server', notAfterSec: 6_000 }),
        of(7_003, pump.id, { state: 'active', profile: 'lst-device', notAfterSec: 7_000 }),
        of(7_004, pump.id, { state: 'pending', profile: 'lst-device', notAfterSec: 8_000 }),
      ])
    })
    const found = async (query: Omit<CredentialQuery, 'after' | 'limit'>): Promise<readonly number[]> => {
      const { items } = await walked((after) => store().credentials.list({ ...query, after, limit: 1 }))
      return items.map(({ notAfterSec }) => notAfterSec)
    }
    assert.deepEqual(await found({ identityId: pump.id }), [8_000, 7_000, 5_000])
    assert.deepEqual(await found({ profile: 'lst-server' }), [6_000])
    assert.deepEqual(await found({ profile: 'lst-device', state: 'active' }), [7_000])
    assert.deepEqual(await found({ endsBeforeSec: 7_000, identityId: pump.id }), [5_000])
    assert.deepEqual(await found({ endsFromSec: 6_000, endsBeforeSec: 8_000, profile: 'lst-device' }), [7_000])
    assert.deepEqual(await found({ endsFromSec: 6_000, endsBeforeSec: 6_001 }), [6_000])
    assert.deepEqual(await found({ identityId: broker.id, state: 'pending' }), [])
    const { next } = await store().credentials.listOfIdentity(pump.id, { after: null, limit: 1 })
    await assert.rejects(store().credentials.list({ after: next, limit: 1 }), { code: 'cursor-invalid' })
  })

  test('attempts are followed by number, whatever else is asked', async () => {
    const last = async () => (await store().attempts.list({ order: 'newest', after: null, limit: 1 })).items[0]?.number
    await store().write((tx) => tx.attempts.insertAll([fakeAttempt(1)]))
    const since = (await last()) ?? 0
    await store().write((tx) => tx.attempts.insertAll([fakeAttempt(1), fakeAttempt(1), fakeAttempt(1)]))
    const { items } = await walked((after) => store().attempts.list({ order: 'oldest', since, after, limit: 2 }))
    assert.deepEqual(
      items.map(({ number }) => number),
      [since + 1, since + 2, since + 3],
    )
    assert.equal(
      (await store().attempts.list({ order: 'newest', since: since + 3, after: null, limit: 2 })).items.length,
      0,
    )
  })
}

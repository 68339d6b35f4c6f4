/** What the store must do for identities, one by one and by the many. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Identity } from '../../../src/core/identity/identity.ts'
import { limits } from '../../../src/core/limits.ts'
import type { Page } from '../../../src/hub/ports/page.ts'
import type { Store } from '../../../src/hub/ports/store.ts'
import { fakeIdentity, fakeToken } from '../store-fakes.ts'

export function identityContract(store: () => Store): void {
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

export function bulkContract(store: () => Store): void {
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

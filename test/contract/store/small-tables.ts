/** What the store must do for settings, tokens, keys and whatever else is a row and little more. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Token } from '../../../src/core/identity/token.ts'
import { fullCrl } from '../../../src/hub/ports/crls.ts'
import type { Store } from '../../../src/hub/ports/store.ts'
import { fakeApiKey, fakeAuthority, fakeIdentity, fakeToken } from '../store-fakes.ts'

export function smallTablesContract(store: () => Store): void {
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

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Secret } from '../../../src/core/secret.ts'
import { openKeyTable } from '../../../src/keys/registry/key-table.ts'
import { openSqliteStore } from '../../../src/store/sqlite/sqlite-store.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

async function emptyRegistry(context: { after(step: () => unknown): void }) {
  const store = await openSqliteStore({ path: join(temporaryFolder(context), 'hub.db'), clock: { nowMs: () => 1 } })
  context.after(() => store.close())
  return store
}

describe('keys in the registry', () => {
  test('are opened by every process that has the passphrase, and by no other', async (context) => {
    const store = await emptyRegistry(context)
    const made = await (await openKeyTable(store, new Secret('correct horse'))).create('root-1')
    const opened = await (await openKeyTable(store, new Secret('correct horse'))).open('root-1')
    assert.deepEqual(opened.publicKey, made.publicKey)
    await assert.rejects(openKeyTable(store, new Secret('wrong')), { code: 'key-passphrase-wrong' })
  })

  test('are one set also where processes make it at the same moment', async (context) => {
    const store = await emptyRegistry(context)
    const rings = await Promise.all([1, 2, 3].map(() => openKeyTable(store, new Secret('correct horse'))))
    const [first, second] = rings
    const made = await first?.create('root-1')
    assert.deepEqual((await second?.open('root-1'))?.publicKey, made?.publicKey)
    await assert.rejects(rings[2]?.create('root-1') ?? Promise.resolve(), { code: 'data-directory-unusable' })
  })
})

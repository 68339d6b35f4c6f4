import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { RegistrySnapshot, Row } from '../../src/hub/ports/snapshot.ts'
import { backedUpTables, leftOutTables } from '../../src/store/backed-up-tables.ts'
import { openSqliteSnapshot } from '../../src/store/sqlite/sqlite-snapshot.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { fakeCredential, fakeIdentity } from '../contract/store-fakes.ts'
import { StandingClock } from '../support/hub-parts.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const clock = new StandingClock(1_700_000_000_000)

async function rowsOf(snapshot: RegistrySnapshot, table: string, by?: readonly string[]): Promise<readonly Row[]> {
  const all: Row[] = []
  for await (const rows of snapshot.rows(table, by)) all.push(...rows)
  return all
}

test('every table of the registry is in a backup, or is left out for a reason that is written down', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db')
  await (await openSqliteStore({ path, clock })).close()
  const database = new DatabaseSync(path)
  const tables = database
    .prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'")
    .all()
  database.close()
  assert.deepEqual(
    tables.map(({ name }) => name).sort(),
    [...Object.keys(backedUpTables), ...Object.keys(leftOutTables)].sort(),
  )
})

test('a snapshot stands still while others write, and is whole although it is read in pieces', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db')
  const store = await openSqliteStore({ path, clock })
  t.after(() => store.close())
  const ids = Array.from({ length: 2_500 }, (_, n) => `pump-${n}`)
  for (let start = 0; start < ids.length; start += 500) {
    await store.write((tx) => tx.identities.insertAll(ids.slice(start, start + 500).map((id) => fakeIdentity(id))))
  }
  const snapshot = await openSqliteSnapshot(path)
  const seen: Row[] = []
  for await (const rows of snapshot.rows('identities')) {
    seen.push(...rows)
    await store.write((tx) => tx.identities.insert(fakeIdentity(`late-${seen.length}`)))
    await store.write((tx) => tx.identities.update(fakeIdentity('pump-9', { group: `changed-${seen.length}` })))
  }
  await snapshot.close()
  const column = snapshot.tables
    .find(({ name }) => name === 'identities')
    ?.columns.findIndex(({ name }) => name === 'id')
  assert.deepEqual(
    seen.map((row) => row[column ?? 0]),
    ids.toSorted(),
  )
  assert.ok(seen.every((row) => !row.some((cell) => typeof cell === 'string' && cell.startsWith('changed'))))
  assert.ok((await store.identities.find(fakeIdentity('late-1000').id)) !== null)
})

test('rows come in the order of the columns that are named', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db')
  const store = await openSqliteStore({ path, clock })
  t.after(() => store.close())
  const owner = (n: number) => fakeIdentity(n % 2 === 0 ? 'a' : 'b').id
  await store.write(async (tx) => {
    await tx.identities.insertAll([fakeIdentity('a'), fakeIdentity('b')])
    const issuedAtMs = (n: number) => 5_000 - (n % 7)
    const some = Array.from({ length: 900 }, (_, n) =>
      fakeCredential(n, { identityId: owner(n), issuedAtMs: issuedAtMs(n) }),
    )
    await tx.credentials.insertAll(some)
    const more = Array.from({ length: 900 }, (_, n) => fakeCredential(900 + n, { identityId: owner(n), issuedAtMs: 1 }))
    await tx.credentials.insertAll(more)
  })
  const snapshot = await openSqliteSnapshot(path)
  t.after(() => snapshot.close())
  const names = snapshot.tables.find(({ name }) => name === 'credentials')?.columns.map(({ name }) => name) ?? []
  const by = ['identity_id', 'issued_at_ms', 'number']
  const keys = (await rowsOf(snapshot, 'credentials', by)).map((row) => by.map((name) => row[names.indexOf(name)]))
  assert.equal(keys.length, 1_800)
  const sorted = keys.toSorted(([a, b = 0, c = 0], [d, e = 0, f = 0]) =>
    a === d ? Number(b) - Number(e) || Number(c) - Number(f) : String(a) < String(d) ? -1 : 1,
  )
  assert.deepEqual(keys, sorted)
})

test('a registry of another version, and a file that is none, are refused', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'hub.db')
  await assert.rejects(openSqliteSnapshot(path), {
    code: 'database-unusable',
    message: /is not there/,
    hint: /--data/,
  })
  await (await openSqliteStore({ path, clock })).close()
  const database = new DatabaseSync(path)
  database.exec('pragma user_version = 1')
  database.close()
  await assert.rejects(openSqliteSnapshot(path), { code: 'database-unusable', message: /version 1/ })
  const foreign = new DatabaseSync(join(folder, 'foreign.db'))
  foreign.exec('create table songs (title text)')
  foreign.close()
  await assert.rejects(openSqliteSnapshot(join(folder, 'foreign.db')), { code: 'database-unusable' })
})

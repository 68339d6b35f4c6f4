/** A backup is written, read back and restored: from each database into each. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { readBackupFile, writeBackupFile } from '../../src/backup/backup-file.ts'
import { backupText, type Manifest } from '../../src/backup/lines.ts'
import { makeBackup } from '../../src/backup/make-backup.ts'
import { readBackupSummary, restoreBackup } from '../../src/backup/restore-backup.ts'
import type { Keyring, Seal } from '../../src/backup/sealing.ts'
import { Secret } from '../../src/core/secret.ts'
import type { RegistrySnapshot, Row, TableShape } from '../../src/hub/ports/snapshot.ts'
import type { Store } from '../../src/hub/ports/store.ts'
import { parseDatabaseUrl } from '../../src/store/postgres/address.ts'
import { openPostgresRestorer } from '../../src/store/postgres/postgres-restorer.ts'
import { openPostgresSnapshot } from '../../src/store/postgres/postgres-snapshot.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { snapshotOver } from '../../src/store/snapshot.ts'
import { openWriter, queriesOver } from '../../src/store/sqlite/connection.ts'
import { migrate } from '../../src/store/sqlite/migrate.ts'
import { openSqliteRestorer } from '../../src/store/sqlite/sqlite-restorer.ts'
import { openSqliteSnapshot, sqliteColumns } from '../../src/store/sqlite/sqlite-snapshot.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { writeOneOfEach } from '../contract/store/authority.ts'
import {
  fakeApiKey,
  fakeAttempt,
  fakeAuthority,
  fakeCredential,
  fakeIdentity,
  fakeIncident,
  fakeRefusals,
  fakeToken,
} from '../contract/store-fakes.ts'
import { LogBook, StandingClock } from '../support/hub-parts.ts'
import { needsPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const clock = new StandingClock(1_700_000_000_000)
const noKeys: Keyring = { passphrase: null, identities: [] }
const keys = new Map([
  ['kek.json', '{"version":1}\n'],
  ['root-1.key.json', '{"key":"Zoë"}\n'],
])

/** One registry of a kind of database. */
interface Place {
  store(): Promise<Store>
  snapshot(): Promise<RegistrySnapshot>
  /** Fills it from a backup. */
  restore(backup: string, replace?: boolean): Promise<unknown>
}

function sqlite(t: TestContext): Place {
  const path = join(temporaryFolder(t), 'hub.db')
  return {
    store: () => openSqliteStore({ path, clock }),
    snapshot: () => openSqliteSnapshot(path),
    restore: (backup) =>
      restoreBackup({
        path: backup,
        keyring: noKeys,
        open: ({ registryVersion }) => openSqliteRestorer(path, registryVersion),
        withSealedKeys: false,
        settings: new Map([['restored', 'yes']]),
      }),
  }
}

async function postgres(server: PostgresServer): Promise<Place> {
  const address = parseDatabaseUrl(new Secret(await server.makeDatabase()), 'a test')
  return {
    store: () => openPostgresStore({ address, instance: 'test', clock, log: new LogBook() }),
    snapshot: () => openPostgresSnapshot(address),
    restore: (backup, replace = false) =>
      restoreBackup({
        path: backup,
        keyring: noKeys,
        open: ({ registryVersion: version }) => openPostgresRestorer({ address, version, replace }),
        withSealedKeys: true,
        settings: new Map([['restored', 'yes']]),
      }),
  }
}

/** Something in every table, with text and bytes that are easily spoilt. */
async function fill(store: Store, devices = 20): Promise<void> {
  const identities = Array.from({ length: devices }, (_, n) =>
    fakeIdentity(`pump-${n}`, {
      attributes: { site: 'Köln \u{1f9ea} "x"\\', n: String(n) },
      group: n % 2 ? 'Ö' : null,
    }),
  )
  const [first] = identities
  assert.ok(first !== undefined)
  await store.write(async (tx) => {
    await tx.identities.insertAll(identities)
    await tx.authorities.insert(fakeAuthority('root-1', { role: 'root', parentId: null }))
    await tx.authorities.insert(fakeAuthority('issuing-1'))
    await tx.tokens.insertAll(identities.map(({ id }, n) => fakeToken(String(n).padStart(16, '0'), id)))
    await tx.credentials.insertAll(identities.map(({ id }, n) => fakeCredential(n, { identityId: id })))
    await tx.credentials.insert(
      fakeCredential(9_000, {
        state: 'revoked',
        revokedAtMs: 5,
        revocationReason: 'keyCompromise',
        identityId: first.id,
      }),
    )
    await tx.adoptions.saveAll([{ identity: first, versionThen: 3 }])
    await writeOneOfEach(tx, first.id)
    await tx.crls.save({
      authorityId: 'issuing-1',
      shard: 0,
      number: 2n ** 150n,
      thisUpdateMs: 1,
      nextUpdateMs: 2,
      crl: new Uint8Array(70_000).fill(7),
      eventNumber: 1,
    })
    await tx.apiKeys.insert(fakeApiKey({ role: 'owner', groups: ['line-2'], expiresAtMs: 9 }))
    await tx.settings.set('realm', 'plant.example')
    await tx.settings.set('empty', '')
    await tx.idempotency.insert({ key: 'a', requestHash: Uint8Array.of(3), answer: new Uint8Array(), createdAtMs: 5 })
    await tx.leases.acquire('work', 'me', 1_000)
    await tx.events.append({ type: 'identity-registered', identityId: first.id })
    await tx.events.appendAbove(500, { type: 'api-key-removed', keyId: 'x', name: 'admin' })
    await tx.audit.append({ atMs: 1, actor: 'hub', act: 'a', subject: 's', before: null, after: { '1': 'Zoë\n' } })
    await tx.attempts.insertAll(Array.from({ length: 5 }, (_, n) => fakeAttempt(n)))
    await tx.attempts.keepNewest(3)
    await tx.cases.addAll([fakeRefusals('pump-1'), fakeRefusals('pump-2')])
    await tx.incidents.insert(fakeIncident())
  })
}

async function backUp(place: Place, path: string, seal: Seal = null, passphrase: Secret | null = null) {
  const snapshot = await place.snapshot()
  try {
    const source = { snapshot, keys, passphrase, nowMs: clock.nowMs(), version: '0.0.0' }
    return await writeBackupFile(path, (await makeBackup(source)).text, seal)
  } finally {
    await snapshot.close()
  }
}

/** All that is in a registry, as text that does not depend on the database. */
async function contentOf(place: Place): Promise<Readonly<Record<string, readonly string[]>>> {
  const snapshot = await place.snapshot()
  const content: Record<string, string[]> = {}
  for (const { name, columns } of snapshot.tables) {
    const rows: Row[] = []
    for await (const group of snapshot.rows(name)) rows.push(...group)
    content[name] = rows.map((row) => {
      const cells = columns.map((column, index): [string, unknown] => {
        const cell = row[index]
        return [column.name, cell instanceof Uint8Array ? Buffer.from(cell).toString('hex') : cell]
      })
      return JSON.stringify(cells.sort(([a], [b]) => (a < b ? -1 : 1)))
    })
  }
  await snapshot.close()
  return content
}

async function filled(t: TestContext, devices?: number): Promise<Place> {
  const place = sqlite(t)
  const store = await place.store()
  await fill(store, devices)
  await store.close()
  return place
}

test('every row comes back, from each database into each, and numbers go on behind them', needsPostgres, async (t) => {
  const server = await startPostgres(t)
  const folder = temporaryFolder(t)
  const make = { sqlite: async () => sqlite(t), postgres: () => postgres(server) }
  for (const from of ['sqlite', 'postgres'] as const) {
    const source = await make[from]()
    const store = await source.store()
    await fill(store)
    const backup = join(folder, `${from}.backup`)
    // While a hub has it open, as it would be.
    await backUp(source, backup)
    const before = await contentOf(source)
    await store.close()
    for (const into of ['sqlite', 'postgres'] as const) {
      await t.test(`from ${from} into ${into}`, async () => {
        const target = await make[into]()
        await target.restore(backup)
        const after = await contentOf(target)
        assert.ok(after.settings?.some((row) => row.includes('restored')))
        const settings = after.settings?.filter((row) => !row.includes('restored'))
        assert.deepEqual({ ...after, settings }, before)

        const restored = await target.store()
        const sealed = into === 'postgres' ? [...keys.keys()] : []
        assert.deepEqual(await restored.sealedKeys.names(), sealed)
        await restored.write(async (tx) => {
          await tx.credentials.insert(fakeCredential(9_999, { identityId: fakeIdentity('pump-1').id }))
          await tx.tokens.insert(fakeToken('f'.repeat(16), fakeIdentity('pump-1').id))
          await tx.attempts.insertAll([fakeAttempt(6)])
          await tx.cases.addAll([fakeRefusals('pump-1', { lastAtMs: 2 }), fakeRefusals('pump-3', { lastAtMs: 3 })])
          await tx.events.append({ type: 'api-key-removed', keyId: 'y', name: 'admin' })
        })
        const { items } = await restored.attempts.list({ order: 'newest', after: null, limit: 1 })
        assert.equal(items[0]?.number, 6)
        const cases = await restored.cases.list({ after: null, limit: 10 })
        assert.deepEqual(
          cases.items.map(({ party, count }) => `${party.name} ${count}`),
          ['pump-3 1', 'pump-1 2', 'pump-2 1'],
        )
        assert.equal(await restored.events.last(), 502)
        await restored.close()
      })
    }
  }
})

test(
  'a PostgreSQL database that is in use or holds a registry is left alone unless it may be replaced',
  needsPostgres,
  async (t) => {
    const server = await startPostgres(t)
    const backup = join(temporaryFolder(t), 'b')
    await backUp(await filled(t), backup)
    const target = await postgres(server)
    const hub = await target.store()
    await hub.write((tx) => tx.settings.set('mine', 'yes'))
    await assert.rejects(target.restore(backup, true), { code: 'registry-in-use' })
    await hub.close()
    await assert.rejects(target.restore(backup), { code: 'restore-target-taken' })
    const cut = join(temporaryFolder(t), 'cut')
    writeFileSync(cut, readFileSync(backup).subarray(0, 2_000))
    await assert.rejects(target.restore(cut, true), { code: 'backup-damaged' })
    const still = await target.store()
    assert.equal(await still.settings.find('mine'), 'yes')
    await still.close()
    await target.restore(backup, true)
    const restored = await target.store()
    assert.equal(await restored.settings.find('mine'), null)
    assert.equal(await restored.settings.find('realm'), 'plant.example')
    await restored.close()
  },
)

test('a backup is private, says what is in it, and is never written over another file', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'plant.backup')
  const { rows, bytes } = await backUp(await filled(t), path, null, new Secret('generated'))
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(statSync(path).size, bytes)
  assert.equal(rows.get('identities'), 20)
  const { manifest, rows: again } = await readBackupSummary(path, noKeys)
  assert.deepEqual(again, rows)
  assert.deepEqual([manifest.realm, manifest.holdsPassphrase, manifest.lastEvent?.number], ['plant.example', true, 501])
  await assert.rejects(backUp(await filled(t), path), {
    code: 'backup-unwritable',
    message: /is there already/,
    hint: /another file/,
  })
  await assert.rejects(backUp(await filled(t), join(folder, 'none', 'b')), {
    code: 'backup-unwritable',
    hint: /folder first/,
  })
  assert.deepEqual(readdirSync(folder), ['plant.backup'], 'nothing is left beside it')
})

test('a backup is made only of what opens: keys and the generated passphrase come back as they were', async (t) => {
  const path = join(temporaryFolder(t), 'b')
  await backUp(await filled(t), path, null, new Secret('generated'))
  const target = join(temporaryFolder(t), 'hub.db')
  const restored = await restoreBackup({
    path,
    keyring: noKeys,
    open: ({ registryVersion }) => openSqliteRestorer(target, registryVersion),
    withSealedKeys: false,
    settings: new Map(),
  })
  assert.deepEqual(restored.keys, keys)
  assert.equal(restored.passphrase?.reveal(), 'generated')
})

test('a backup that is cut anywhere, or changed in any byte, is refused', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'whole')
  await backUp(await filled(t, 3), path)
  const whole = readFileSync(path)
  const text = gunzipSync(whole).toString('utf8')
  const damagedOr = (code: string) => ['backup-damaged', 'backup-too-new'].includes(code)
  const refused = async (bytes: Uint8Array, what: string) => {
    writeFileSync(join(folder, 'spoilt'), bytes)
    await assert.rejects(
      readBackupSummary(join(folder, 'spoilt'), noKeys),
      (error: { code?: string }) => damagedOr(error.code ?? String(error)),
      what,
    )
  }
  for (let length = 0; length < whole.length; length += 397)
    await refused(whole.subarray(0, length), `cut at ${length}`)
  for (let at = 0; at < text.length; at += 241) {
    const changed = Buffer.from(text)
    changed[at] = (changed[at] ?? 0) ^ 1
    await refused(gzipSync(changed), `changed at ${at}: ${text.slice(at - 5, at + 5)}`)
  }
  const lines = text.trimEnd().split('\n')
  await refused(gzipSync(lines.slice(0, -1).join('\n')), 'without its last line')
  await refused(gzipSync(`${[...lines, lines[4]].join('\n')}\n`), 'with a line behind its end')
  await refused(Buffer.from('PK\u0003\u0004 not a backup'), 'another kind of file')
  await refused(gzipSync('{"handfast":"backup","version":2}\n'), 'a newer format')
})

/** The sections of a backup in memory, to be written again in another way. */
async function sectionsOf(path: string) {
  const sections: { section: TableShape; rows: Row[] }[] = []
  let manifest: Manifest | null = null
  for await (const part of readBackupFile(path, noKeys)) {
    if (part.kind === 'manifest') manifest = part.manifest
    if (part.kind === 'heading') sections.push({ section: part.section, rows: [] })
    if (part.kind === 'row') sections.at(-1)?.rows.push(part.row)
  }
  assert.ok(manifest !== null)
  return { manifest, sections }
}

function renamed(column: TableShape['columns'][number]): TableShape['columns'][number] {
  return { ...column, name: `${column.name}_2` }
}

async function* inOneGroup(rows: readonly Row[]): AsyncGenerator<readonly Row[]> {
  yield rows
}

test('rows that do not fit the registry are refused, each for its reason', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'whole')
  await backUp(await filled(t, 3), path)
  const { manifest, sections } = await sectionsOf(path)
  let count = 0
  const refuses = async (change: (section: TableShape, rows: Row[]) => TableShape | null, message: RegExp) => {
    const forged = join(folder, `forged-${count++}`)
    const changed = sections.flatMap(({ section, rows }) => {
      const copy = [...rows]
      const next = change(section, copy)
      return next === null ? [] : [{ section: next, rows: inOneGroup(copy) }]
    })
    await writeBackupFile(forged, backupText(manifest, changed), null)
    await assert.rejects(sqlite(t).restore(forged), { code: 'backup-damaged', message })
  }
  await refuses((section) => (section.name === 'tokens' ? null : section), /tokens is missing/)
  await refuses((section) => (section.name === '@keys' ? null : section), /@keys is missing/)
  await refuses((section, rows) => {
    if (section.name === 'identities') rows.length = 0
    return section
  }, /refers to one of identities that is missing/)
  await refuses(
    (section) => (section.name === 'crls' ? { ...section, columns: section.columns.map(renamed) } : section),
    /columns of its section crls/,
  )
  await refuses((section) => (section.name === 'crls' ? { ...section, name: 'users' } : section), /"users"/)
  await refuses((section, rows) => {
    if (section.name === '@keys') rows.push(['../../etc/passwd', 'x'])
    return section
  }, /a key with the name/)
})

test('a backup of an older registry is brought up to date, and one of a newer registry is refused', async (t) => {
  const folder = temporaryFolder(t)
  const oldFile = join(folder, 'old.db')
  const old = openWriter(oldFile)
  await migrate(old, oldFile, 2)
  old.exec(`
    insert into identities values ('pump', 'device', 'active', null, '{}', 1, 2, 3);
    insert into authorities values (1, 'root-1', 'root', 5, x'00');
    insert into audit values (1, 1, 'hub', 'a', 's', 'null', 'null', '${'0'.repeat(64)}')`)
  const snapshot = await snapshotOver({
    version: 2,
    queries: queriesOver(old),
    columns: sqliteColumns,
    close: async () => old.close(),
  })
  const make = async (version: number): Promise<string> => {
    const source = { snapshot: { ...snapshot, version }, keys, passphrase: null, nowMs: 1, version: '0.0.0' }
    const path = join(folder, `version-${version}`)
    await writeBackupFile(path, (await makeBackup(source)).text, null)
    return path
  }
  const [older, newer] = [await make(2), await make(99)]
  await snapshot.close()
  const place = sqlite(t)
  await place.restore(older)
  const store = await place.store()
  t.after(() => store.close())
  assert.equal((await store.identities.find(fakeIdentity('pump').id))?.version, 3)
  assert.equal(await store.adoptions.count(), 0)
  await assert.rejects(sqlite(t).restore(newer), { code: 'backup-too-new' })
})

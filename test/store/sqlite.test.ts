import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { auditChainStart, firstBreak } from '../../src/core/audit/chain.ts'
import { noSources } from '../../src/core/identification/revocation-sources.ts'
import { parseIdentityId } from '../../src/core/identity/id.ts'
import { steps } from '../../src/store/migrations.ts'
import { openWriter, queriesOver } from '../../src/store/sqlite/connection.ts'
import { lockDataDirectory } from '../../src/store/sqlite/data-lock.ts'
import { migrate } from '../../src/store/sqlite/migrate.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { attemptReader } from '../../src/store/tables/attempts.ts'
import { countReader } from '../../src/store/tables/counts.ts'
import { identityReader } from '../../src/store/tables/identities.ts'
import { writeCursor } from '../../src/store/tables/page.ts'
import { profileReader } from '../../src/store/tables/profiles.ts'
import { storeContract } from '../contract/store/store-contract.ts'
import { fakeAttempt, fakeIdentity } from '../contract/store-fakes.ts'

const clock = { nowMs: () => 1_700_000_000_000 }
const root = mkdtempSync(join(tmpdir(), 'handfast-store-'))
after(() => rmSync(root, { recursive: true }))

let count = 0
function emptyDirectory(): string {
  const directory = join(root, String(count++))
  mkdirSync(directory)
  return directory
}

storeContract('sqlite', async () => {
  const path = join(emptyDirectory(), 'hub.db')
  return { store: await openSqliteStore({ path, clock }), reopen: () => openSqliteStore({ path, clock }) }
})

describe('the SQLite store', () => {
  test('keeps its files from everybody else, also where they were open before', async () => {
    const path = join(emptyDirectory(), 'hub.db')
    writeFileSync(path, '')
    chmodSync(path, 0o644)
    const store = await openSqliteStore({ path, clock })
    await store.write((tx) => tx.settings.set('a', 'b'))
    for (const file of [path, `${path}-wal`, `${path}-shm`]) assert.equal(statSync(file).mode & 0o777, 0o600, file)
    await store.close()
  })

  test('refuses a database of a newer version and names both versions', async () => {
    const path = join(emptyDirectory(), 'hub.db')
    await (await openSqliteStore({ path, clock })).close()
    alter(path, 'pragma user_version = 99')
    await assert.rejects(openSqliteStore({ path, clock }), {
      code: 'database-unusable',
      message: new RegExp(`version 99.* to ${steps.length}$`),
    })
  })

  test('refuses what is no database, what is damaged and what belongs to another program', async () => {
    const directory = emptyDirectory()
    const unusable = { code: 'database-unusable' }
    writeFileSync(join(directory, 'text.db'), 'this is not a database, although it is long enough to be one'.repeat(50))
    await assert.rejects(openSqliteStore({ path: join(directory, 'text.db'), clock }), unusable)
    alter(join(directory, 'other.db'), 'create table songs (title text)')
    await assert.rejects(openSqliteStore({ path: join(directory, 'other.db'), clock }), unusable)
    await assert.rejects(openSqliteStore({ path: join(directory, 'none', 'hub.db'), clock }), unusable)
    const cut = join(directory, 'cut.db')
    await (await openSqliteStore({ path: cut, clock })).close()
    writeFileSync(cut, 'rubbish'.repeat(100), { flag: 'r+' })
    await assert.rejects(openSqliteStore({ path: cut, clock }), unusable)
  })

  test('brings a database of version 1 up to date and chains the audit log that it has', async () => {
    const path = join(emptyDirectory(), 'hub.db')
    const old = openWriter(path)
    await migrate(old, path, 1)
    const insert = old.prepare(
      'insert into audit (at_ms, actor, act, subject, before_json, after_json) values (?,?,?,?,?,?)',
    )
    for (let n = 1; n <= 1_200; n++) insert.run(n, 'hub', 'test', `subject ${n}`, 'null', `{"n":${n},"1":"Zoë"}`)
    old.close()
    const store = await openSqliteStore({ path, clock })
    await store.write((tx) =>
      tx.audit.append({ atMs: 1, actor: 'hub', act: 'a', subject: 's', before: null, after: null }),
    )
    const entries = [...(await store.audit.after(0, 1_000)), ...(await store.audit.after(1_000, 1_000))]
    assert.equal(entries.length, 1_201)
    assert.equal(firstBreak({ number: 0, hash: auditChainStart }, entries), null)
    await store.close()
  })

  test('brings a database of version 2 up to date and finds its devices by their attributes', async () => {
    const path = join(emptyDirectory(), 'hub.db')
    const old = openWriter(path)
    await migrate(old, path, 2)
    const insert = old.prepare(
      "insert into identities values (?, 'device', 'active', null, ?, 1, 1, 1) on conflict do nothing",
    )
    for (let n = 1; n <= 250; n++) insert.run(`pump-${n}`, `{"site":"hall-${n % 2}","n":"${n}"}`)
    insert.run('bare', '{}')
    old.close()
    const store = await openSqliteStore({ path, clock })
    const list = async (attributes: Readonly<Record<string, string>>) =>
      (await store.identities.list({ attributes, after: null, limit: 1_000 })).items.map(({ id }) => id)
    assert.equal((await list({ site: 'hall-1' })).length, 125)
    assert.deepEqual(await list({ n: '7' }), ['pump-7'])
    await store.close()
  })

  test('brings a database of version 6 up to date and keeps the CRLs of its trust anchors', async () => {
    const path = join(emptyDirectory(), 'hub.db')
    const old = openWriter(path)
    await migrate(old, path, 6)
    const fingerprint = 'a'.repeat(64)
    old
      .prepare("insert into anchors values (1, 'acme', ?, 'trusted', null, 'prefer', 2, 3, x'30', '')")
      .run(fingerprint)
    old.exec("insert into anchor_crls values ('acme', 4, 5, 6, x'3100')")
    old.close()
    const store = await openSqliteStore({ path, clock })
    const [row] = await store.anchors.all()
    assert.deepEqual([row?.below, row?.sources], ['', noSources])
    const place = { anchorId: 'acme', issuer: fingerprint, part: '' }
    assert.deepEqual(await store.anchors.crl(place), {
      ...{ ...place, thisUpdateMs: 4, nextUpdateMs: 5, givenAtMs: 6, crl: new Uint8Array([0x31, 0]) },
    })
    await store.close()
  })

  test('answers every list from an index that is in its order, whatever is asked', async () => {
    const path = join(emptyDirectory(), 'hub.db')
    await (await openSqliteStore({ path, clock })).close()
    const database = new DatabaseSync(path)
    const asked: string[] = []
    const listening = new Proxy(database, {
      get: (target, name) => {
        if (name !== 'prepare') return Reflect.get(target, name)
        return (sql: string) => {
          asked.push(sql)
          return target.prepare(sql)
        }
      },
    })
    const queries = queriesOver(listening)
    const all = { after: null, limit: 100 }
    const later = { after: writeCursor('identities', 'pump-6'), limit: 100 }
    const identities = identityReader(() => queries)
    for (const state of [{}, { state: 'disabled' as const }]) {
      for (const group of [{}, { group: 'line-2' }]) {
        for (const prefix of [{}, { idPrefix: 'pump-' }]) {
          for (const attributes of [{}, { attributes: { site: 'hall-2', line: '4' } }]) {
            const filters = { kind: 'device', ...state, ...group, ...prefix, ...attributes } as const
            await identities.list({ ...filters, ...all })
            await identities.list({ ...filters, ...later })
          }
        }
      }
    }
    const attempts = attemptReader(() => queries)
    for (const order of ['oldest', 'newest'] as const) {
      await attempts.list({ ...all, order, since: 5 })
      await attempts.list({ ...all, order, outcome: 'refused', code: 'certificate-revoked', identityId: 'pump-7' })
    }
    const counts = countReader(() => queries)
    const ending = { authorityId: 'issuing-1', state: 'active', fromSec: 0, beforeSec: 100 } as const
    await counts.credentialsEnding(ending)
    await counts.credentialsEnding({ ...ending, profile: 'plc' })
    await profileReader(() => queries).hasLiving('plc', 50)
    assert.ok(asked.length >= 20, `${asked.length} statements`)
    for (const sql of new Set(asked)) {
      const plan = database.prepare(`explain query plan ${sql}`).all()
      const steps = plan.map(({ detail }) => String(detail))
      assert.doesNotMatch(steps.join('\n'), /TEMP B-TREE|AUTOMATIC/, sql)
      // What an index has found is bounded in number; besides, only an index as a whole may be walked, in its own order.
      const scans = steps.filter((step) => /^SCAN (?!candidates|identities USING COVERING INDEX)/.test(step))
      assert.deepEqual(scans, [], sql)
    }
    database.close()
  })

  test('never lets the audit log or the events be changed', async () => {
    const path = join(emptyDirectory(), 'hub.db')
    const store = await openSqliteStore({ path, clock })
    const entry = { atMs: 1, actor: 'hub', act: 'a', subject: 's', before: null, after: null }
    await store.write(async (tx) => {
      await tx.audit.append(entry)
      await tx.events.append({ type: 'identity-registered', identityId: parseIdentityId('pump') })
    })
    await store.close()
    for (const table of ['audit', 'events']) {
      assert.throws(() => alter(path, `update ${table} set at_ms = 0`), /append-only/)
      assert.throws(() => alter(path, `delete from ${table}`), /append-only/)
    }
  })

  test('rejects every unit of a transaction that cannot be begun, and goes on when it can', async () => {
    const path = join(emptyDirectory(), 'hub.db')
    const store = await openSqliteStore({ path, clock })
    const other = new DatabaseSync(path)
    other.exec('begin immediate')
    const units = [1, 2].map((n) => store.write((tx) => tx.settings.set(`n${n}`, 'set')))
    for (const result of await Promise.allSettled(units)) {
      assert.equal(result.status === 'rejected' && result.reason.code, 'store-unavailable')
    }
    other.close()
    await store.write((tx) => tx.settings.set('n1', 'again'))
    assert.equal(await store.settings.find('n1'), 'again')
    assert.equal(await store.settings.find('n2'), null)
    await store.close()
  })

  test('rejects every unit when the disk is full, and loses nothing of before', async () => {
    const path = join(emptyDirectory(), 'hub.db')
    await (await openSqliteStore({ path, clock })).close()
    const told: string[] = []
    const observer = {
      committed: (units: number) => told.push(`committed ${units}`),
      writesRefused: (units: number, reason: string) => told.push(`refused ${units}: ${reason}`),
    }
    const store = await openSqliteStore({ path, clock, observer, pagesMax: 60 })
    await store.write((tx) => tx.settings.set('before', 'kept'))
    const big = Array.from({ length: 1_000 }, (_, i) => ({ ...fakeAttempt(i), sentence: 'x'.repeat(1_000) }))
    const full = store.write((tx) => tx.attempts.insertAll(big))
    await assert.rejects(full, { code: 'store-unavailable' })
    assert.equal(store.health().isWriting, false)
    assert.equal(await store.settings.find('before'), 'kept')
    assert.deepEqual((await store.attempts.list({ order: 'oldest', after: null, limit: 1 })).items, [])
    await store.write((tx) => tx.settings.set('before', 'still'))
    assert.equal(store.health().isWriting, true)
    await store.close()
    await assert.rejects(store.write(async () => {}))
    assert.deepEqual(told, ['committed 1', 'committed 1', 'refused 1: database', 'committed 1', 'refused 1: closed'])
  })

  test('stops a date before it becomes the name of a parameter', async () => {
    const path = join(emptyDirectory(), 'hub.db')
    const store = await openSqliteStore({ path, clock })
    const wrong = new Date() as unknown as string
    await assert.rejects(store.settings.find(wrong), { name: 'CodingError' })
    await store.close()
  })
})

describe('the lock of a data directory', () => {
  test('is held once and can be taken again after its release', () => {
    const directory = emptyDirectory()
    const lock = lockDataDirectory(join(directory, 'lock.db'))
    assert.throws(() => lockDataDirectory(join(directory, 'lock.db')), { code: 'data-directory-locked' })
    lock.release()
    lock.release()
    lockDataDirectory(join(directory, 'lock.db')).release()
    assert.equal(statSync(join(directory, 'lock.db')).mode & 0o777, 0o600)
  })

  test('is refused where no file can be made', () => {
    assert.throws(() => lockDataDirectory(join(root, 'nowhere', 'lock.db')), { code: 'data-directory-unusable' })
  })

  test('is freed by kill -9, and every row that was acknowledged before it is there', async () => {
    const directory = emptyDirectory()
    const child = spawn(process.execPath, [fileURLToPath(new URL('writer-process.ts', import.meta.url)), directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const acknowledged = await idsUntilKilled(child, 500, () => {
      assert.throws(() => lockDataDirectory(join(directory, 'lock.db')), { code: 'data-directory-locked' })
    })
    const lock = lockDataDirectory(join(directory, 'lock.db'))
    const store = await openSqliteStore({ path: join(directory, 'hub.db'), clock })
    for (const id of acknowledged) assert.notEqual(await store.identities.find(fakeIdentity(id).id), null, id)
    assert.ok(acknowledged.length >= 500)
    await store.close()
    lock.release()
  })
})

/** The ids that a child prints; after `count` of them it is killed in the middle of its work. */
async function idsUntilKilled(child: ChildProcess, count: number, beforeKill: () => void): Promise<string[]> {
  assert.ok(child.stdout)
  const ids: string[] = []
  const closed = once(child, 'close')
  try {
    for await (const line of createInterface(child.stdout)) {
      ids.push(line)
      if (ids.length !== count) continue
      beforeKill()
      child.kill('SIGKILL')
    }
  } finally {
    child.kill('SIGKILL')
  }
  await closed
  return ids
}

function alter(path: string, statement: string): void {
  const database = new DatabaseSync(path)
  try {
    database.exec(statement)
  } finally {
    database.close()
  }
}

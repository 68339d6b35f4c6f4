/** What keeps a hub from its PostgreSQL database, each with its own words. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Secret } from '../../src/core/secret.ts'
import { parseDatabaseUrl, readDatabaseAddress } from '../../src/store/postgres/address.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { LogBook } from '../support/hub-parts.ts'
import { needsPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const clock = { nowMs: () => 1 }

function parse(url: string) {
  return parseDatabaseUrl(new Secret(url), 'the test')
}

describe('a database URL', () => {
  test('is read into its parts, and named without its password', () => {
    const address = parse('postgresql://hub:p%40ss%2Fword@db.plant.example:5433/fleet\n')
    assert.deepEqual(
      [address.host, address.port, address.user, address.database, address.password?.reveal()],
      ['db.plant.example', 5433, 'hub', 'fleet', 'p@ss/word'],
    )
    assert.equal(address.place, 'postgresql://hub@db.plant.example:5433/fleet')
    assert.equal(JSON.stringify(address).includes('p@ss'), false)
  })

  test('asks for verified TLS on the way to another machine, and for none on this one', () => {
    assert.deepEqual(parse('postgres://hub@db.plant.example/fleet').tls, { rejectUnauthorized: true })
    assert.equal(parse('postgres://hub@db.plant.example/fleet?sslmode=disable').tls, false)
    for (const host of ['localhost', '127.0.0.1', '[::1]'])
      assert.equal(parse(`postgres://hub@${host}/fleet`).tls, false)
    const socket = parse('postgres://hub@/fleet?host=/run/postgresql')
    assert.deepEqual([socket.host, socket.tls], ['/run/postgresql', false])
    assert.deepEqual(parse('postgres://hub@localhost/fleet?sslmode=verify-full').tls, { rejectUnauthorized: true })
  })

  test('that is not one is refused without a word of it', () => {
    const secret = 'hunter2'
    for (const url of [
      '',
      secret,
      `mysql://hub:${secret}@localhost/fleet`,
      `postgresql://hub:${secret}@localhost`,
      `postgresql://hub:${secret}@localhost/`,
      `postgresql://:${secret}@localhost/fleet`,
      `postgresql://hub:${secret}@/fleet`,
      `postgresql://hub:${secret}@localhost:99999/fleet`,
      `postgresql://hub:${secret}%zz@localhost/fleet`,
      `postgresql://hub:${secret}@localhost/fleet?sslmode=prefer`,
      `postgresql://hub:${secret}@localhost/fleet?password=${secret}`,
      `postgresql://hub:${secret}@localhost/fleet?sslrootcert=/nowhere&sslmode=verify-full`,
      `postgresql://hub:${secret}@localhost/${'x'.repeat(5_000)}`,
    ]) {
      assert.throws(
        () => parse(url),
        (error: { code?: string; message?: string; hint?: string }) => {
          assert.equal(error.code, 'config-invalid')
          assert.equal(`${error.message}${error.hint}`.includes(secret), false, error.message)
          return true
        },
        url,
      )
    }
  })

  test('comes from a file, which is named when it cannot be read', (t) => {
    const file = join(temporaryFolder(t), 'url')
    assert.throws(() => readDatabaseAddress({ file }), { code: 'config-invalid' })
    writeFileSync(file, 'postgresql://hub@localhost/fleet\n')
    assert.equal(readDatabaseAddress({ file }).database, 'fleet')
  })
})

describe('a start on PostgreSQL', needsPostgres, () => {
  let server: PostgresServer
  const endings: (() => Promise<void>)[] = []
  before(async () => {
    server = await startPostgres({ after: (step) => void endings.push(step) })
  })
  after(async () => {
    for (const step of endings) await step()
  })

  function open(url: string, log = new LogBook()) {
    return openPostgresStore({ address: parse(url), clock, log, instance: 'test' })
  }

  function changed(url: string, change: (url: URL) => void): string {
    const copy = new URL(url)
    change(copy)
    return copy.href
  }

  test('is refused with the cause where the server, the user or the database is not there', async () => {
    const url = await server.makeDatabase()
    const unreachable = { code: 'database-unreachable' }
    await assert.rejects(open(changed(url, (each) => (each.port = '1'))), unreachable)
    await assert.rejects(open(changed(url, (each) => (each.password = 'wrong'))), unreachable)
    await assert.rejects(open(changed(url, (each) => (each.username = 'nobody'))), unreachable)
    await assert.rejects(open(changed(url, (each) => (each.pathname = '/none'))), unreachable)
    await assert.rejects(open(`${url}?sslmode=verify-full`), unreachable)
  })

  test("is refused where the database is another program's, of a newer version or not UTF-8", async () => {
    const unusable = { code: 'database-unusable' }
    const other = await server.makeDatabase()
    await server.admin('create table songs (title text)', new URL(other).pathname.slice(1))
    await assert.rejects(open(other), unusable)

    const newer = await server.makeDatabase()
    await (await open(newer)).close()
    await server.admin('update handfast_version set version = 99', new URL(newer).pathname.slice(1))
    await assert.rejects(open(newer), { ...unusable, message: /version 99/ })

    const latin = new URL(await server.makeDatabase())
    await server.admin(`create database latin encoding 'LATIN1' locale 'C' template template0 owner ${latin.username}`)
    await assert.rejects(open(changed(latin.href, (each) => (each.pathname = '/latin'))), unusable)
  })

  test('by several processes at once makes one schema', async () => {
    const url = await server.makeDatabase()
    const stores = await Promise.all([1, 2, 3].map(() => open(url)))
    await stores[0]?.write((tx) => tx.settings.set('realm', 'plant'))
    assert.equal(await stores[2]?.settings.find('realm'), 'plant')
    await Promise.all(stores.map((store) => store.close()))
  })

  test('warns where the server may lose what it has acknowledged', async (t) => {
    const careless = await startPostgres({ after: (step) => t.after(step) }, ['fsync=off'])
    const log = new LogBook()
    await (await open(await careless.makeDatabase(), log)).close()
    assert.deepEqual(
      log.lines.map(({ level }) => level),
      ['warn'],
    )
  })

  test('never lets the audit log or the events be changed', async () => {
    const url = await server.makeDatabase()
    const store = await open(url)
    await store.write(async (tx) => {
      await tx.audit.append({ atMs: 1, actor: 'hub', act: 'a', subject: 's', before: null, after: null })
    })
    await store.close()
    const database = new URL(url).pathname.slice(1)
    for (const act of ['update audit set at_ms = 0', 'delete from audit', 'truncate audit', 'truncate events']) {
      await assert.rejects(server.admin(act, database), /append-only/)
    }
  })
})

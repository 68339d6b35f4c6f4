/** The database user of gates on other machines, made by the SQL that an operator runs with psql. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { Secret } from '../../src/core/secret.ts'
import { parseDatabaseUrl } from '../../src/store/postgres/address.ts'
import { sqlState } from '../../src/store/postgres/errors.ts'
import { gateRoleSql, tablesOfGates } from '../../src/store/postgres/gate-role.ts'
import { checkGateRole } from '../../src/store/postgres/gate-role-check.ts'
import { openPostgresReader, openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { fakeIdentity } from '../contract/store-fakes.ts'
import { LogBook } from '../support/hub-parts.ts'
import { needsPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'

const clock = { nowMs: () => 1_700_000_000_000 }
const denied = '42501'

describe('the database user of gates', needsPostgres, () => {
  let server: PostgresServer
  const endings: (() => Promise<void>)[] = []
  before(async () => {
    server = await startPostgres({ after: (step) => void endings.push(step) })
  })
  after(async () => {
    for (const step of endings) await step()
  })

  /** A registry that a hub has made, and the user of its gates. */
  async function registry(options: { role: string; withPasswords?: boolean }) {
    const url = await server.makeDatabase()
    const database = new URL(url).pathname.slice(1)
    const open = () => openPostgresStore({ address: addressOf(url), clock, log: new LogBook(), instance: 'hub' })
    await (await open()).close()
    const sql = gateRoleSql({ withPasswords: false, connectionsMax: 20, ...options })
    await server.script(sql, database)
    await server.admin(`alter role ${options.role} password 'gate'`)
    const gateUrl = Object.assign(new URL(url), { username: options.role, password: 'gate' }).href
    const check = (withPasswords = false) => checkGateRole({ address: addressOf(gateUrl), withPasswords })
    return { url, database, open, sql, gateUrl, check }
  }

  test('reads what a gate reads, and nothing else', async (t) => {
    const { gateUrl, database } = await registry({ role: 'gate_reads' })
    const client = await connected(t, gateUrl)
    const all = await server.admin(`select tablename as name from pg_tables where schemaname = 'public'`, database)
    const readable: string[] = []
    for (const { name } of all) {
      const state = await stateOf(client, `select * from ${String(name)} limit 1`)
      if (state === null) readable.push(String(name))
      else assert.equal(state, denied, String(name))
    }
    assert.deepEqual(readable.sort(), tablesOfGates(false))
    for (const secret of ['sealed_keys', 'tokens', 'api_keys', 'idempotency', 'passwords', 'audit', 'attempts']) {
      assert.equal(await stateOf(client, `select 1 from ${secret}`), denied, secret)
    }
  })

  test('writes nothing, whatever it sets for its session', async (t) => {
    const { gateUrl, database } = await registry({ role: 'gate_writes', withPasswords: true })
    const client = await connected(t, gateUrl)
    await client.query('set default_transaction_read_only = off')
    const tables = await server.admin(`select tablename as name from pg_tables where schemaname = 'public'`, database)
    for (const { name } of tables) {
      const [column] = await server.admin(
        `select attname as name from pg_attribute where attrelid = '${name}'::regclass and attnum > 0 limit 1`,
        database,
      )
      for (const statement of [
        `insert into ${name} default values`,
        `update ${name} set ${column?.name} = ${column?.name}`,
        `delete from ${name}`,
        `truncate ${name}`,
        `select 1 from ${name} for update`,
        `do $$ begin lock table ${name} in exclusive mode; end $$`,
        `alter table ${name} add column mine text`,
        `drop table ${name}`,
        `create index mine on ${name} (${column?.name})`,
        `create trigger mine after insert on ${name} execute function announce_events()`,
      ]) {
        assert.equal(await stateOf(client, statement), denied, statement)
      }
    }
    for (const statement of [
      'create table mine (a int)',
      'create temporary table mine (a int)',
      'create schema mine',
      'create function mine() returns int language sql as $$ select 1 $$',
      `create role mine`,
      `alter role ${database} password 'mine'`,
      `set role ${database}`,
      'set role postgres',
      `grant ${database} to gate_writes`,
      `copy identities to program 'cat'`,
      `select pg_read_file('postgresql.conf')`,
      'select rolpassword from pg_authid',
      `select setval(pg_get_serial_sequence('credentials', 'number'), 1)`,
      `select lo_create(0)`,
      // The lock by which processes of the hub write one after the other.
      'select pg_advisory_lock(1)',
      'select pg_advisory_xact_lock_shared(1)',
      'select pg_try_advisory_lock(1, 2)',
    ]) {
      assert.equal(await stateOf(client, statement), denied, statement)
    }
  })

  test('does not stand in the way of the hub, which writes and migrates as before', async () => {
    const { open, sql, database, check } = await registry({ role: 'gate_hub' })
    const store = await open()
    await store.write((tx) => tx.identities.insert(fakeIdentity('pump-7')))
    await store.close()
    // Again, as after an upgrade.
    await server.script(sql, database)
    await check()
    const again = await open()
    assert.equal((await again.identities.find(fakeIdentity('pump-7').id))?.id, 'pump-7')
    await again.close()
  })

  test('hears of what the hub commits, and is told by name that it may not write', async (t) => {
    const { open, gateUrl } = await registry({ role: 'gate_hears' })
    const store = await open()
    t.after(() => store.close())
    const reader = openPostgresReader({ address: addressOf(gateUrl), clock, log: new LogBook() })
    t.after(() => reader.store.close())
    await new Promise<void>((resolve) => reader.store.onEvents(resolve))
    const heard = new Promise<void>((resolve) => reader.store.onEvents(resolve))
    await store.write((tx) => tx.events.append({ type: 'identity-registered', identityId: fakeIdentity('pump-7').id }))
    await heard
    assert.equal((await reader.store.events.after(0, 10)).length, 1)
    await assert.rejects(reader.store.tokens.find('t'), { code: 'store-unavailable', message: /may not/ })
  })

  test('is checked before a gate serves: too little and too much are refused by name', async () => {
    const { url, database, gateUrl, check } = await registry({ role: 'gate_check' })
    await check()
    const unfit = (message: RegExp) => ({ code: 'gate-role-unfit', message })
    await assert.rejects(check(true), unfit(/may not read passwords$/))
    await assert.rejects(
      checkGateRole({ address: addressOf(url), withPasswords: false }),
      unfit(/may make tables|may write/),
    )
    const changes: readonly [grant: string, revoke: string, message: RegExp][] = [
      ['grant select on tokens to gate_check', 'revoke select on tokens from gate_check', /may read tokens$/],
      ['grant select (id) on tokens to public', 'revoke select (id) on tokens from public', /may read tokens$/],
      ['grant insert on attempts to gate_check', 'revoke insert on attempts from gate_check', /may write attempts$/],
      [
        'grant update (state) on identities to gate_check',
        'revoke update (state) on identities from gate_check',
        /may write identities$/,
      ],
      ['revoke select on pins from gate_check', 'grant select on pins to gate_check', /may not read pins$/],
      [
        'revoke select on handfast_version from gate_check',
        'grant select on handfast_version to gate_check',
        /version/,
      ],
      ['grant create on schema public to gate_check', 'revoke create on schema public from gate_check', /make tables/],
      [`grant ${database} to gate_check`, `revoke ${database} from gate_check`, /belongs to other roles/],
      ['alter role gate_check createrole', 'alter role gate_check nocreaterole', /powers/],
    ]
    for (const [change, undo, message] of changes) {
      await server.admin(change, database)
      await assert.rejects(check(), unfit(message), change)
      await server.admin(undo, database)
    }
    await check()

    const unusable = (message: RegExp) => ({ code: 'database-unusable', message })
    const [version] = await server.admin('select version from handfast_version', database)
    for (const [change, message] of [
      [-1, /this gate reads version/],
      [1, /knows versions up to/],
    ] as const) {
      await server.admin(`update handfast_version set version = ${Number(version?.version) + change}`, database)
      await assert.rejects(check(), unusable(message))
    }
    const empty = new URL(gateUrl)
    empty.pathname = '/postgres'
    await assert.rejects(
      checkGateRole({ address: addressOf(empty.href), withPasswords: false }),
      unusable(/holds no registry/),
    )
    empty.port = '1'
    await assert.rejects(checkGateRole({ address: addressOf(empty.href), withPasswords: false }), {
      code: 'database-unreachable',
    })
  })

  test('is made by an owner of the database who is no superuser as well, with a warning of what could not be taken away', async () => {
    const { database, open } = await registry({ role: 'gate_first' })
    await server.admin(`alter role ${database} createrole`)
    await server.admin('grant execute on all functions in schema pg_catalog to public', database)
    const sql = gateRoleSql({ role: 'gate_owner', withPasswords: false, connectionsMax: 20 })
    assert.match(await server.script(`set role ${database};\n${sql}`, database), /WARNING: .* can hold up every write/)
    const [rights] = await server.admin(
      `select has_table_privilege('gate_owner', 'credentials', 'select') as reads,
         has_table_privilege('gate_owner', 'credentials', 'insert, update, delete, truncate') as writes`,
      database,
    )
    assert.deepEqual(rights, { reads: true, writes: false })
    await (await open()).close()
  })

  test('is not made of a role that is something else, nor where there is no registry', async () => {
    const { database, sql } = await registry({ role: 'gate_refused' })
    const script = (role: string) => gateRoleSql({ role, withPasswords: false, connectionsMax: 20 })
    await assert.rejects(server.script(script(database), database), /is something else/)
    await assert.rejects(server.script(script('postgres'), database), /is something else/)
    await assert.rejects(server.script(sql, 'template1'), /holds no registry of Handfast/)
    const [hub] = await server.admin(`select rolconnlimit, rolcanlogin from pg_roles where rolname = '${database}'`)
    assert.deepEqual(hub, { rolconnlimit: -1, rolcanlogin: true })
    // A word of SQL is a name like any other.
    await server.script(script('select'), database)
  })
})

async function connected(t: { after(step: () => Promise<void>): void }, url: string) {
  const client = new pg.Client(url)
  await client.connect()
  t.after(() => client.end())
  return client
}

/** The SQLSTATE of a refusal; null for a statement that was run. */
async function stateOf(client: InstanceType<typeof pg.Client>, statement: string): Promise<string | null> {
  try {
    await client.query(statement)
    return null
  } catch (error) {
    return sqlState(error)
  }
}

function addressOf(url: string) {
  return parseDatabaseUrl(new Secret(url), 'the test')
}

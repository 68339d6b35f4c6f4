/** What the registry on PostgreSQL does when the server or the way to it fails, and when others use it too. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { auditChainStart, firstBreak } from '../../src/core/audit/chain.ts'
import { Secret } from '../../src/core/secret.ts'
import type { HubEvent } from '../../src/hub/ports/events.ts'
import type { Store } from '../../src/hub/ports/store.ts'
import { parseDatabaseUrl } from '../../src/store/postgres/address.ts'
import type { DatabaseLimits } from '../../src/store/postgres/connections.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { fakeIdentity } from '../contract/store-fakes.ts'
import { LogBook } from '../support/hub-parts.ts'
import { needsPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'
import { startTcpCutter } from '../support/tcp-cutter.ts'

const clock = { nowMs: () => 1_700_000_000_000 }
/** What a COMMIT has on the wire that no other statement has. */
const theCommit = 'unit; commit'
const unavailable = { code: 'store-unavailable' }

describe('the registry on PostgreSQL', needsPostgres, () => {
  let server: PostgresServer
  const endings: (() => Promise<void>)[] = []
  const stores: Store[] = []
  before(async () => {
    server = await startPostgres({ after: (step) => void endings.push(step) })
  })
  after(async () => {
    await Promise.all(stores.map((store) => store.close()))
    for (const step of endings) await step()
  })

  async function open(url: string, limits: Partial<DatabaseLimits> = {}): Promise<Store> {
    const address = parseDatabaseUrl(new Secret(url), 'the test')
    const instance = randomBytes(4).toString('hex')
    const store = await openPostgresStore({ address, clock, log: new LogBook(), instance, limits })
    stores.push(store)
    return store
  }

  /** Registers a device with everything that such an act writes. */
  function register(store: Store, id: string): Promise<string> {
    return store.write(async (tx) => {
      const identity = fakeIdentity(id)
      await tx.identities.insert(identity)
      await tx.events.append({ type: 'identity-registered', identityId: identity.id })
      await tx.audit.append({ atMs: 1, actor: 'hub', act: 'test', subject: id, before: null, after: null })
      return id
    })
  }

  /** Everything that was written, once each, in one order that events and audit log share. */
  async function assertWhole(store: Store, acknowledged: readonly string[]): Promise<void> {
    const events = await store.events.after(0, 1_000)
    const registered = registeredIn(events)
    assert.equal(new Set(registered).size, registered.length, 'something was done twice')
    for (const id of acknowledged) assert.ok(registered.includes(id), `${id} is lost`)
    assert.deepEqual(
      events.map(({ number }) => number),
      events.map((_, index) => index + 1),
    )
    const entries = await store.audit.after(0, 1_000)
    assert.deepEqual(
      entries.map(({ subject }) => subject),
      registered,
    )
    assert.equal(firstBreak({ number: 0, hash: auditChainStart }, entries), null)
  }

  test('goes on by itself when the server is killed and started again under load', async () => {
    const store = await open(await server.makeDatabase())
    const acknowledged: string[] = []
    let next = 0
    const lane = async (): Promise<void> => {
      while (next < 600) acknowledged.push(await register(store, `killed-${next++}`))
    }
    const lanes = Promise.all(Array.from({ length: 16 }, lane))
    for (const count of [150, 350]) {
      while (acknowledged.length < count) await register(store, `pace-${next++}`).then((id) => acknowledged.push(id))
      await server.kill()
      await server.start()
    }
    await lanes
    await assertWhole(store, acknowledged)
  })

  test('a write whose COMMIT never reached the server is done by another try, once', async (t) => {
    const url = new URL(await server.makeDatabase())
    const cutter = await startTcpCutter(t, server.port)
    url.port = String(cutter.port)
    const store = await open(url.href)
    await register(store, 'first')
    cutter.cutAt(theCommit, 'before')
    await register(store, 'second')
    assert.equal(cutter.cuts, 1)
    await assertWhole(store, ['first', 'second'])
    assert.equal(await store.events.last(), 2)
  })

  test('a write whose COMMIT was answered into a dead connection is not done twice', async (t) => {
    const url = new URL(await server.makeDatabase())
    const cutter = await startTcpCutter(t, server.port)
    url.port = String(cutter.port)
    const store = await open(url.href)
    await register(store, 'first')
    cutter.cutAt(theCommit, 'answered')
    await Promise.all([register(store, 'second'), register(store, 'third')])
    assert.equal(cutter.cuts, 1)
    await assertWhole(store, ['first', 'second', 'third'])
    assert.equal(await store.events.last(), 3)
  })

  test('a write whose fate nobody can tell is refused with these words, and is not tried again', async (t) => {
    const url = new URL(await server.makeDatabase())
    const cutter = await startTcpCutter(t, server.port)
    url.port = String(cutter.port)
    const store = await open(url.href, { databaseRetryMs: 300, databaseConnectMs: 200 })
    await register(store, 'first')
    cutter.cutAt(theCommit, 'answered', () => server.freeze())
    await assert.rejects(register(store, 'second'), { ...unavailable, message: /may be done or not/ })
    server.thaw()
    await register(store, 'third')
    await assertWhole(store, ['first', 'second', 'third'])
    assert.equal(await store.events.last(), 3)
  })

  test('a write that is cut in its middle is done by another try', async (t) => {
    const url = new URL(await server.makeDatabase())
    const cutter = await startTcpCutter(t, server.port)
    url.port = String(cutter.port)
    const store = await open(url.href)
    await register(store, 'first')
    for (const when of ['before', 'answered'] as const) {
      cutter.cutAt('middle', when)
      await register(store, `middle-${when}`)
    }
    assert.equal(cutter.cuts, 2)
    await assertWhole(store, ['first', 'middle-before', 'middle-answered'])
  })

  test('a read whose connection is lost is asked again', async (t) => {
    const url = new URL(await server.makeDatabase())
    const cutter = await startTcpCutter(t, server.port)
    url.port = String(cutter.port)
    const store = await open(url.href)
    await register(store, 'kept')
    cutter.cutAt('kept', 'answered')
    assert.equal((await store.identities.find(fakeIdentity('kept').id))?.id, 'kept')
    assert.equal(cutter.cuts, 1)
  })

  test('sessions that an administrator ends are opened again', async () => {
    const store = await open(await server.makeDatabase())
    const acknowledged: string[] = []
    for (let n = 0; n < 10; n++) {
      await server.admin("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'handfast'")
      acknowledged.push(await register(store, `ended-${n}`))
      assert.notEqual(await store.identities.find(fakeIdentity(`ended-${n}`).id), null)
    }
    await assertWhole(store, acknowledged)
  })

  test('a deadlock with somebody else is tried again', async () => {
    const url = await server.makeDatabase()
    const store = await open(url)
    const database = new URL(url).pathname.slice(1)
    await store.write((tx) => tx.settings.set('a', '0'))
    await server.admin('create sequence tries; grant usage on sequence tries to public', database)
    await server.admin(
      `create function fail_once() returns trigger language plpgsql as $$ begin
         if nextval('tries') <= 2 then raise exception using errcode = '40P01'; end if; return new; end $$`,
      database,
    )
    await server.admin(
      'create trigger fail before update on settings for each row execute function fail_once()',
      database,
    )
    await store.write((tx) => tx.settings.set('a', '1'))
    assert.equal(await store.settings.find('a'), '1')
  })

  test('says that it is unavailable, and nothing else, when the server stays away or stands still', async () => {
    const limits = { databaseRetryMs: 300, databaseStatementMs: 300, databaseConnectMs: 300 }
    const store = await open(await server.makeDatabase(), limits)
    await register(store, 'before')
    server.freeze()
    await assert.rejects(register(store, 'frozen'), unavailable)
    await assert.rejects(store.identities.find(fakeIdentity('before').id), unavailable)
    server.thaw()
    await server.kill()
    await assert.rejects(register(store, 'away'), unavailable)
    await assert.rejects(store.events.last(), unavailable)
    await server.start()
    await register(store, 'after')
    const events = await store.events.after(0, 10)
    const ids = registeredIn(events)
    assert.ok(ids.includes('before') && ids.includes('after'))
    assert.equal(ids.includes('away'), false, 'what was refused for good was not done')
  })

  test('more readers than there are connections wait for their turn, and are told when it does not come', async () => {
    const url = await server.makeDatabase()
    const patient = await open(url, { databaseReadersMax: 2 })
    await register(patient, 'one')
    const { id } = fakeIdentity('one')
    const many = await Promise.all(Array.from({ length: 300 }, () => patient.identities.find(id)))
    assert.equal(many.filter((found) => found?.id === id).length, 300)

    const store = await open(url, { databaseReadersMax: 2, databaseConnectMs: 400, databaseRetryMs: 200 })
    const database = new URL(url).pathname.slice(1)
    const hold = server.admin('begin; lock table identities in access exclusive mode; select pg_sleep(2)', database)
    const locked =
      "select count(*)::int as n from pg_locks where mode = 'AccessExclusiveLock' and granted and relation = 'identities'::regclass"
    while ((await server.admin(locked, database))[0]?.n !== 1);
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => store.identities.find(id)))
    const codes = results.flatMap((each) => (each.status === 'rejected' ? [each.reason.code] : []))
    assert.ok(codes.length > 0)
    assert.deepEqual([...new Set(codes)], ['store-unavailable'])
    await hold
    assert.equal((await patient.identities.find(id))?.id, id)
  })

  test('processes that write at once number events in the order of commits, and each hears of the others', async () => {
    const url = await server.makeDatabase()
    const [one, two] = [await open(url), await open(url)]
    const seen: number[] = []
    let wakeUp: () => void = () => {}
    const stop = one.onEvents(() => wakeUp())
    const follow = (async () => {
      while (seen.length < 200) {
        const woken = new Promise<void>((resolve) => {
          wakeUp = resolve
        })
        const found = await one.events.after(seen.at(-1) ?? 0, 1_000)
        seen.push(...found.map(({ number }) => number))
        if (found.length === 0) await woken
      }
    })()
    const acknowledged = await Promise.all(
      Array.from({ length: 200 }, (_, n) => register(n % 2 === 0 ? one : two, `both-${n}`)),
    )
    await follow
    stop()
    assert.deepEqual(
      seen,
      Array.from({ length: 200 }, (_, index) => index + 1),
    )
    await assertWhole(two, acknowledged)
  })

  test('a transaction that was begun early and is held open hides no event, not its own and not a later one', async () => {
    const url = await server.makeDatabase()
    const [one, two] = [await open(url), await open(url)]
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>()
    const { promise: begun, resolve: hasBegun } = Promise.withResolvers<void>()
    const early = one.write(async (tx) => {
      await tx.events.append({ type: 'identity-registered', identityId: fakeIdentity('early').id })
      hasBegun()
      await held
    })
    await begun
    const late = register(two, 'late')
    assert.deepEqual(await two.events.after(0, 10), [])
    letGo()
    await Promise.all([early, late])
    const ids = (await two.events.after(0, 10)).map((event) => [event.number, ...registeredIn([event])])
    assert.deepEqual(ids, [
      [1, 'early'],
      [2, 'late'],
    ])
  })

  test('a process that hangs with an open transaction holds the others up only for a while', async () => {
    const url = await server.makeDatabase()
    const hung = await open(url, { databaseStatementMs: 300 })
    const other = await open(url)
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>()
    const { promise: begun, resolve: hasBegun } = Promise.withResolvers<void>()
    const late = hung.write(async (tx) => {
      await tx.events.append({ type: 'identity-registered', identityId: fakeIdentity('hung').id })
      hasBegun()
      await held
    })
    await begun
    await register(other, 'served')
    letGo()
    await late
    const ids = registeredIn(await other.events.after(0, 10))
    assert.deepEqual(ids, ['served', 'hung'], 'what hung lost its transaction and was done again')
  })

  test('a listener whose connection was lost is told once it stands again', async () => {
    const url = await server.makeDatabase()
    const [one, two] = [await open(url), await open(url)]
    const { promise: heard, resolve: hear } = Promise.withResolvers<void>()
    await register(two, 'before')
    const stop = one.onEvents(() => {
      one.events.last().then((last) => {
        if (last === 2) hear()
      }, assert.ifError)
    })
    await server.admin("select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen %'")
    await register(two, 'after')
    await heard
    stop()
  })
})

/** The ids of the devices that these events say were registered. */
function registeredIn(events: readonly HubEvent[]): readonly string[] {
  return events.flatMap((event) => (event.type === 'identity-registered' ? [event.identityId] : []))
}

/** Hubs on PostgreSQL: a server that dies under load, and processes that share a registry. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { AuditEntryView, DeviceDetailView, PageView } from '../../src/api-schema/views.ts'
import { auditChainStart, firstBreak } from '../../src/core/audit/chain.ts'
import { HubError } from '../../src/core/errors.ts'
import { parseRealm } from '../../src/core/identity/id.ts'
import { limits } from '../../src/core/limits.ts'
import { Secret } from '../../src/core/secret.ts'
import { statusPlaces } from '../../src/hub/crl-places.ts'
import { enrol } from '../../src/hub/enrol.ts'
import { EnrolmentRates } from '../../src/hub/enrolment-rates.ts'
import { establishAuthorities } from '../../src/hub/establish-authorities.ts'
import { silentObserver } from '../../src/hub/ports/observer.ts'
import type { Store } from '../../src/hub/ports/store.ts'
import { newSecret } from '../../src/hub/secret-text.ts'
import { systemClock, systemRandom } from '../../src/machine/system.ts'
import { parseDatabaseUrl } from '../../src/store/postgres/address.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { fakeIdentity, fakeToken } from '../contract/store-fakes.ts'
import { usePostgres } from '../support/hub-database.ts'
import { deviceRequest, LogBook, MemoryKeys, statusBase } from '../support/hub-parts.ts'
import { startHubProcess } from '../support/hub-process.ts'
import { clientOptions, connected, nextEvent, refused } from '../support/mqtt-client.ts'
import { needsPostgres } from '../support/postgres.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** The kills fall among them; more take longer and meet no more kills: `HANDFAST_TEST_ENROLMENTS=10000` is a minute. */
const devicesCount = Number(process.env.HANDFAST_TEST_ENROLMENTS ?? 3_000)

describe('a hub on PostgreSQL', needsPostgres, () => {
  test('whose server is killed three times during thousands of enrolments loses none and doubles none', {
    timeout: 600_000,
  }, async (t) => {
    const server = await usePostgres()
    const address = parseDatabaseUrl(new Secret(await server.makeDatabase()), 'the test')
    const store = await openPostgresStore({ address, clock: systemClock, log: new LogBook(), instance: 'load' })
    t.after(() => store.close())
    const hub = await enrollingHub(store)
    const tokens = await registerMany(store, devicesCount)

    const acknowledged = new Map<string, string>()
    const waiting = [...tokens]
    /** Enrolments after which the server is killed, with what waits for them. */
    const kills = [0.25, 0.5, 0.75].map((share) => ({ at: devicesCount * share, ...Promise.withResolvers<void>() }))
    async function lane(): Promise<void> {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const [id, token] = next
        acknowledged.set(id, await enrolAsDevice(hub, id, token))
        for (const { at, resolve } of kills) if (acknowledged.size === at) resolve()
      }
    }
    const lanes = Promise.all(Array.from({ length: 64 }, lane))
    for (const { promise } of kills) {
      await Promise.race([promise, lanes])
      await server.kill()
      await server.start()
    }
    await lanes

    assert.equal(acknowledged.size, devicesCount)
    const issued = [...acknowledged]
    for (let start = 0; start < issued.length; start += limits.bulkRowsMax) {
      const some = new Map(
        issued.slice(start, start + limits.bulkRowsMax).map(([id, fingerprint]) => [fingerprint, id]),
      )
      const found = await store.credentials.findAll([...some.keys()])
      assert.deepEqual(new Map(found.map((each) => [each.fingerprint, String(each.identityId)])), some)
    }
    await assertOrdered(store)
  })

  test('shares its registry with another process: what one does, the other knows and enforces', async (t) => {
    await usePostgres()
    const folder = temporaryFolder(t)
    const env = { HANDFAST_PASSPHRASE: 'correct horse battery staple' }
    const data = join(folder, 'one')
    const [one, two] = await Promise.all([
      startHubProcess(t, { data, env }),
      startHubProcess(t, { data: join(folder, 'two'), sharesRegistryOf: data, env }),
    ])

    const pump = await one.enrolled('pump-7', join(folder, 'pump-7'))
    const client = await connected(clientOptions(two.mqtt.port, pump, 5))
    const ends = nextEvent(client, 'close')
    await one.json(['revoke', 'pump-7'])
    await ends
    assert.equal((await refused(clientOptions(two.mqtt.port, pump, 5))).reasonString, 'revoked')

    await two.enrolled('valve-1', join(folder, 'valve-1'))
    const { credentials } = await one.json<DeviceDetailView>(['device', 'show', 'valve-1'])
    assert.equal(credentials.length, 1)

    // One after the other: two that are asked at the same moment after a revocation may both make it.
    const number = await crlNumber(one.http.port, credentials[0]?.authority ?? '')
    assert.equal(await crlNumber(two.http.port, credentials[0]?.authority ?? ''), number, 'both serve the same CRL')

    await one.kill()
    await (
      await connected(clientOptions(two.mqtt.port, await two.enrolled('valve-2', join(folder, 'valve-2')), 5))
    ).endAsync()
    const again = await startHubProcess(t, { data, env })
    const { items } = await again.json<PageView<AuditEntryView>>(['audit', '--limit', '1000'])
    assert.equal(items.filter(({ act }) => act === 'authority.create').length, 1)
    assert.equal(items.filter(({ act }) => act === 'api-key.create').length, 2)
  })
})

async function enrollingHub(store: Store) {
  const realm = parseRealm('plant.example')
  const parts = {
    store,
    keys: new MemoryKeys(),
    clock: systemClock,
    random: systemRandom,
    observer: silentObserver,
    realm,
    rates: new EnrolmentRates(systemClock),
  }
  const authorities = await establishAuthorities(parts)
  return { ...parts, authorities, statusPlaces: statusPlaces({ store }, statusBase) }
}

/** Ids with the texts of their tokens. */
async function registerMany(store: Store, count: number): Promise<ReadonlyMap<string, Secret>> {
  const texts = new Map<string, Secret>()
  for (let start = 0; start < count; start += limits.bulkRowsMax) {
    const identities = Array.from({ length: limits.bulkRowsMax }, (_, index) =>
      fakeIdentity(`device-${start + index}`, { state: 'active' }),
    )
    const tokens = identities.map(({ id }) => {
      const { id: tokenId, secretHash, text } = newSecret(systemRandom)
      texts.set(id, text)
      return { ...fakeToken(tokenId, id), secretHash, expiresAtMs: Date.now() + 86_400_000 }
    })
    await store.write(async (tx) => {
      await tx.identities.insertAll(identities)
      await tx.tokens.insertAll(tokens)
    })
  }
  return texts
}

/** Asks again with the same key when the hub has no answer, as a device does. */
async function enrolAsDevice(
  hub: Awaited<ReturnType<typeof enrollingHub>>,
  id: string,
  tokenText: Secret,
): Promise<string> {
  const { certificateRequest } = deviceRequest(id)
  for (let tries = 1; ; tries++) {
    try {
      return (await enrol(hub, { tokenText, claimedId: id, certificateRequest })).fingerprint
    } catch (error) {
      const isPatient = error instanceof HubError && error.code === 'store-unavailable' && tries < 20
      if (!isPatient) throw error
    }
  }
}

async function assertOrdered(store: Store): Promise<void> {
  let previous = { number: 0, hash: auditChainStart }
  let issued = 0
  for (;;) {
    const entries = await store.audit.after(previous.number, limits.pageRowsMax)
    assert.equal(firstBreak(previous, entries), null)
    issued += entries.filter(({ act }) => act === 'credential.issue').length
    const last = entries.at(-1)
    if (last === undefined) break
    previous = last
  }
  assert.equal(issued, devicesCount)
  assert.equal(await store.events.last(), devicesCount)
}

async function crlNumber(port: number, authority: string): Promise<string | null> {
  return (await fetch(`http://127.0.0.1:${port}/crl/${authority}.crl`)).headers.get('etag')
}

/** What a registry that has issued much, and revoked much, costs at the start, at rest and at one more revocation. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseRealm } from '../../src/core/identity/id.ts'
import { establishAuthorities } from '../../src/hub/establish-authorities.ts'
import { fullCrl } from '../../src/hub/ports/crls.ts'
import { publishCrl } from '../../src/hub/publish-crl.ts'
import { systemClock as clock, systemRandom as random } from '../../src/machine/system.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { MemoryKeys } from '../../test/support/hub-parts.ts'
import type { Bed } from '../bed.ts'
import type { Round, Row } from '../figures.ts'
import { fillRegistry } from '../filled-registry.ts'
import { memoryOf } from '../processes.ts'
import { startHub } from '../servers/handfast.ts'

/** Time for what a hub does after its start: CRLs are looked at, a garbage collector notices that nothing happens. */
const idleMs = 5_000

export async function growthRows(bed: Bed): Promise<readonly Row[]> {
  const rows: Row[] = []
  const { issuedFew, issuedMany, revokedFew, revokedMany, revokedMost } = bed.sizes
  for (const certificates of [issuedFew, issuedMany]) rows.push(...(await startRows(bed, certificates)))
  for (const revoked of [revokedFew, revokedMany, revokedMost]) rows.push(...(await revocationRows(bed, revoked)))
  return rows
}

async function startRows(bed: Bed, certificates: number): Promise<readonly Row[]> {
  const data = join(bed.folder, `issued-${certificates}`)
  const start = () => startHub(bed.closing, { name: 'handfast', data, profiles: null })
  await (await start()).stop()
  bed.report(`a registry of ${certificates} certificates`)
  fillRegistry({ path: join(data, 'handfast.db'), certificates, revoked: certificates / 100, base: 'http://localhost' })
  // Once, so that CRLs are there.
  const first = await start()
  await delay(idleMs)
  await first.stop()
  const times: Round[] = []
  const memory: Round[] = []
  for (let round = 0; round < bed.sizes.memoryRounds; round++) {
    const before = performance.now()
    const hub = await start()
    times.push({ values: [performance.now() - before], perSecond: null })
    await delay(idleMs)
    memory.push({ values: [memoryOf(hub.pids).rssKibibytes / 1024], perSecond: null })
    await hub.stop()
  }
  const row = (name: string, unit: string, rounds: readonly Round[]): Row => ({
    name: `${name}, ${certificates} certificates issued`,
    ...{ unit, rank: 50, series: [{ side: 'handfast', rounds }] },
  })
  return [row('start of the hub until it serves', 'ms', times), row('whole server, RSS', 'MiB', memory)]
}

/** One more revocation among so many, in this process: the CRL that it makes anew, of its shard and of everything. */
async function revocationRows(bed: Bed, revoked: number): Promise<readonly Row[]> {
  bed.report(`revocations among ${revoked}`)
  const path = join(bed.folder, `revoked-${revoked}.db`)
  const keys = new MemoryKeys()
  const made = await openSqliteStore({ path, clock })
  await establishAuthorities({ store: made, keys, clock, random, realm: parseRealm('bench.example') })
  await made.close()
  const { authorityId } = fillRegistry({ path, certificates: revoked, revoked, base: 'http://localhost' })
  const store = await openSqliteStore({ path, clock })
  const authorities = await establishAuthorities({ store, keys, clock, random, realm: parseRealm('bench.example') })
  const rows: Row[] = []
  for (const [name, shard] of [
    ['the shard', 0],
    ['the full CRL', fullCrl],
  ] as const) {
    const cpu: Round[] = []
    const bytes: Round[] = []
    for (let round = -1; round < bed.sizes.memoryRounds; round++) {
      const walBefore = walBytes(path)
      const before = process.cpuUsage()
      const { crl } = await publishCrl({ store, clock, authorities }, { authorityId, shard })
      const { user, system } = process.cpuUsage(before)
      if (round < 0) continue
      cpu.push({ values: [(user + system) / 1000], perSecond: null })
      bytes.push({
        values: [(crl.length + Math.max(0, walBytes(path) - walBefore - crl.length)) / 1024],
        perSecond: null,
      })
    }
    const row = (what: string, unit: string, rounds: readonly Round[]): Row => ({
      name: `${what}, one revocation among ${revoked}`,
      ...{ unit, rank: 50, series: [{ side: 'handfast', rounds }] },
    })
    rows.push(row(`${name} is made anew`, 'ms CPU', cpu), row(`${name}, written`, 'KiB', bytes))
  }
  await store.close()
  return rows
}

function walBytes(path: string): number {
  try {
    return statSync(`${path}-wal`).size
  } catch {
    return 0
  }
}

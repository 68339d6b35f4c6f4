/** What the registry costs when it is full: devices that come in, lists, one device. */
import type { Store } from '../../src/hub/ports/store.ts'
import { registerDevice } from '../../src/hub/register-device.ts'
import { systemClock, systemRandom } from '../../src/machine/system.ts'
import type { Bed } from '../bed.ts'
import { makeRegistries, type Registry } from '../databases.ts'
import type { Round, Row } from '../figures.ts'
import { enrolFleet } from '../fleet.ts'
import { cpuPerPiece, inRounds, withSides } from '../measure.ts'
import type { Hub } from '../servers/handfast.ts'

const atOnce = 16
/** Devices with a certificate, those that are shown. */
const shownDevices = 20
const devicesPerGroup = 1_000
const shownIds: readonly string[] = Array.from({ length: shownDevices }, (_, index) => `shown-${index}`)

export async function registryRows(bed: Bed): Promise<readonly Row[]> {
  const registries = await makeRegistries(bed, 'registry')
  for (const registry of registries) await fill(bed, registry)
  return withSides(
    registries.map(({ start }) => start),
    async (hubs) => {
      const rows: Row[] = []
      // Those that add devices come last: the others are asked among as many as their names say.
      for (const { name, unit, sample } of [...readings(bed), ...additions(bed)]) {
        bed.report(name)
        const series = await inRounds(hubs, { warmUps: 1, rounds: bed.sizes.rounds }, sample)
        rows.push({ name, unit, rank: 50, series })
      }
      return rows
    },
  )
}

interface Piece {
  readonly name: string
  readonly unit: string
  sample(hub: Hub, round: number): Promise<Round>
}

function readings({ sizes, load }: Bed): readonly Piece[] {
  const among = `of ${sizes.registeredDevices} devices`
  const groups = Array.from({ length: groupsOf(sizes.registeredDevices) }, (_, index) => groupName(index))
  const listing = (limit: number, pages: number, chosen: readonly string[] | null) => (hub: Hub) =>
    cpuPerPiece(hub, async () => {
      const { seconds } = await load.run('listPages', { data: hub.data, limit, pages, groups: chosen })
      return { pieces: pages, seconds }
    })
  const pages = sizes.pagesPerRound
  const count = sizes.devicesShownPerRound
  return [
    { name: `page of 100 ${among}`, unit: 'µs CPU', sample: listing(100, pages, null) },
    { name: `page of 1000 ${among}`, unit: 'µs CPU', sample: listing(1_000, pages / 10, null) },
    { name: `page of 100 of one group ${among}`, unit: 'µs CPU', sample: listing(100, pages, groups) },
    {
      name: `one device ${among}, with its certificates`,
      unit: 'µs CPU',
      sample: (hub) =>
        cpuPerPiece(hub, async () => {
          return { pieces: count, ...(await load.run('showDevices', { data: hub.data, ids: shownIds, count, atOnce })) }
        }),
    },
    {
      name: 'handfast device show, the command itself',
      unit: 'ms CPU',
      async sample({ data }) {
        const ids = shownIds.slice(0, sizes.commandsPerRound)
        const { seconds, cpuMicros } = await load.run('showByCommand', { data, ids })
        return { values: [cpuMicros / 1000 / ids.length], perSecond: ids.length / seconds }
      },
    },
  ]
}

function additions({ sizes, load }: Bed): readonly Piece[] {
  const one = sizes.registrationsPerRound
  const all = sizes.importedPerRound
  const importing = (withTokens: boolean): Piece => ({
    name: `device imported, ${withTokens ? 'with a token, ' : ''}${all} in one call`,
    unit: 'µs CPU',
    sample: (hub, round) =>
      cpuPerPiece(hub, async () => {
        const request = { data: hub.data, prefix: `import-${withTokens}-${round}`, count: all, withTokens }
        return { pieces: all, ...(await load.run('importDevices', request)) }
      }),
  })
  const registering: Piece = {
    name: 'device registered over the API, 16 at one time',
    unit: 'µs CPU',
    sample: (hub, round) =>
      cpuPerPiece(hub, async () => {
        const request = { data: hub.data, prefix: `new-${round}`, count: one, atOnce }
        return { pieces: one, ...(await load.run('register', request)) }
      }),
  }
  return [registering, importing(false), importing(true)]
}

/** A few devices that have enrolled, and many that were registered and have not. */
async function fill(bed: Bed, registry: Registry): Promise<void> {
  const hub = await registry.start()
  await enrolFleet(hub.data, shownDevices, 'shown')
  await hub.stop()
  const count = bed.sizes.registeredDevices - shownDevices
  bed.report(`registering ${count} devices`)
  const store = await registry.openStore()
  try {
    await registerInStore(store, count)
  } finally {
    await store.close()
  }
  await registry.afterFilling()
}

/** The use case itself, without HTTP: the rows are those that the API would have left. */
async function registerInStore(store: Store, count: number): Promise<void> {
  const hub = { store, clock: systemClock, random: systemRandom }
  const chunk = 1_000
  for (let from = 0; from < count; from += chunk) {
    const registrations = Array.from({ length: Math.min(chunk, count - from) }, (_, place) => {
      const index = from + place
      return registerDevice(hub, 'bench', {
        id: `device-${String(index).padStart(6, '0')}`,
        // Neighbours in the list are in different groups.
        group: groupName(index % groupsOf(count)),
        attributes: { site: 'north', line: String(index % 7) },
        tokenLifetimeSec: 86_400,
      })
    })
    await Promise.all(registrations)
  }
}

function groupsOf(devices: number): number {
  return Math.max(1, Math.round(devices / devicesPerGroup))
}

function groupName(index: number): string {
  return `group-${String(index).padStart(3, '0')}`
}

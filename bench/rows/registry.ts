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
  const { sizes, load } = bed
  const registries = await makeRegistries(bed, 'registry')
  for (const registry of registries) await fill(bed, registry)
  const groups = Array.from({ length: groupsOf(sizes.registeredDevices) }, (_, index) => groupName(index))
  const listing = async (hub: Hub, limit: number, pages: number, chosen: readonly string[] | null): Promise<Round> =>
    cpuPerPiece(hub, async () => {
      const { seconds } = await load.run('listPages', { data: hub.data, limit, pages, groups: chosen })
      return { pieces: pages, seconds }
    })

  return withSides(
    registries.map(({ start }) => start),
    async (hubs) => {
      const rows: Row[] = []
      const measure = async (name: string, unit: string, sample: (hub: Hub, round: number) => Promise<Round>) => {
        bed.report(name)
        rows.push({ name, unit, rank: 50, series: await inRounds(hubs, { warmUps: 1, rounds: sizes.rounds }, sample) })
      }
      const among = `of ${sizes.registeredDevices} devices`
      const pages = sizes.pagesPerRound
      await measure(`page of 100 ${among}`, 'µs CPU', (hub) => listing(hub, 100, pages, null))
      await measure(`page of 1000 ${among}`, 'µs CPU', (hub) => listing(hub, 1_000, pages / 10, null))
      await measure(`page of 100 of one group ${among}`, 'µs CPU', (hub) => listing(hub, 100, pages, groups))
      await measure(`one device ${among}, with its certificates`, 'µs CPU', ({ data, ...hub }) =>
        cpuPerPiece(hub, async () => {
          const count = sizes.devicesShownPerRound
          return { pieces: count, ...(await load.run('showDevices', { data, ids: shownIds, count, atOnce })) }
        }),
      )
      await measure('handfast device show, the command itself', 'ms CPU', async ({ data }) => {
        const ids = shownIds.slice(0, sizes.commandsPerRound)
        const { seconds, cpuMicros } = await load.run('showByCommand', { data, ids })
        return { values: [cpuMicros / 1000 / ids.length], perSecond: ids.length / seconds }
      })
      // Last: it adds to the devices that the others are asked among.
      await measure('device registered over the API, 16 at one time', 'µs CPU', ({ data, ...hub }, round) =>
        cpuPerPiece(hub, async () => {
          const count = sizes.registrationsPerRound
          return { pieces: count, ...(await load.run('register', { data, prefix: `new-${round}`, count, atOnce })) }
        }),
      )
      return rows
    },
  )
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

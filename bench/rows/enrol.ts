/** What a certificate costs the one that signs and stores it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DeviceDetailView } from '../../src/api-schema/views.ts'
import { openHub } from '../../src/cli/api-client.ts'
import { programPath } from '../../test/support/programs.ts'
import type { Bed } from '../bed.ts'
import { tlsText } from '../conditions.ts'
import { makeRegistries } from '../databases.ts'
import type { Round, Row } from '../figures.ts'
import { cpuPerPiece, inRounds, withSides } from '../measure.ts'
import { findBuilt } from '../peers/built.ts'
import { type CfsslOptions, cfsslVersion, startCfssl } from '../servers/cfssl.ts'
import type { Hub } from '../servers/handfast.ts'
import { type HubKeys, readHubKeys } from '../servers/hub-keys.ts'
import { type Side, sideTitles, type Target } from '../sides.ts'

const atOnce = 16

/** Somebody who signs certificate requests. */
interface Signer extends Side {
  readonly https: Target
  readonly protocol: 'est' | 'cfssl'
  /** The root below which it serves, in PEM. */
  readonly ca: string
  /** Data directory of the hub that registers the devices first, or null. */
  readonly data: string | null
  /** @throws Error where a certificate is not stored that was handed out */
  assertStored(id: string, enrolledSoFar: number): Promise<void>
}

interface Shape {
  readonly name: string
  readonly isEachOnNewConnection: boolean
}

const shapes: readonly Shape[] = [
  { name: 'enrolment, kept-alive TLS, 16 at one time', isEachOnNewConnection: false },
  { name: 'enrolment, each on a new TLS connection, 16 at one time', isEachOnNewConnection: true },
]

export async function enrolRows(bed: Bed): Promise<readonly Row[]> {
  const registries = await makeRegistries(bed, 'enrol')
  for (const { start } of registries) await (await start()).stop()
  const agreed = new Map<string, string>()
  const starts = [
    ...registries.map((registry) => async () => hubSigner(await registry.start())),
    ...cfsslStarts(bed, await readHubKeys(registries[0]?.data ?? '')),
  ]
  const rows = await withSides(starts, async (signers) => {
    const rows: Row[] = []
    for (const [index, shape] of shapes.entries()) {
      bed.report(shape.name)
      const enrolled = (round: number): number =>
        (index * (bed.sizes.rounds + 1) + round + 1) * bed.sizes.enrolmentsPerRound
      const series = await inRounds(signers, { warmUps: 1, rounds: bed.sizes.rounds }, async (signer, round) => {
        const prefix = `enrol-${index}-${round}`
        const { taken, tls } = await roundOf(bed, signer, shape, prefix)
        await signer.assertStored(`${prefix}-${bed.sizes.enrolmentsPerRound - 1}`, enrolled(round))
        agreed.set(sideTitles[signer.name], tls)
        return taken
      })
      rows.push({ name: shape.name, unit: 'µs CPU', rank: 50, series })
    }
    return rows
  })
  bed.note('TLS of enrolment', tlsText(agreed))
  return rows
}

async function roundOf(
  { load, sizes }: Bed,
  { protocol, https: target, ca, data, ...signer }: Signer,
  { isEachOnNewConnection }: Shape,
  prefix: string,
): Promise<{ readonly taken: Round; readonly tls: string }> {
  await load.run('prepareEnrolments', { data, prefix, count: sizes.enrolmentsPerRound })
  let agreed = ''
  const taken = await cpuPerPiece(signer, async () => {
    const { seconds, count, tls } = await load.run('enrol', { protocol, target, ca, isEachOnNewConnection, atOnce })
    agreed = tls
    return { pieces: count, seconds }
  })
  return { taken, tls: agreed }
}

function hubSigner(hub: Hub): Signer {
  const api = openHub({ data: hub.data, env: {}, directory: '/' })
  return {
    ...hub,
    protocol: 'est',
    ca: readFileSync(join(hub.data, 'ca.pem'), 'utf8'),
    async assertStored(id) {
      const { credentials } = await api.get<DeviceDetailView>(`/devices/${id}`)
      if (credentials.length !== 1) throw new Error(`the hub has ${credentials.length} certificates of ${id}, not 1`)
    },
  }
}

function cfsslStarts(bed: Bed, keys: HubKeys): readonly (() => Promise<Signer>)[] {
  return cfsslPeers(bed).map((peer) => async () => {
    const folder = join(bed.folder, peer.name)
    const options = { ...peer, folder, authority: keys.issuing, certificate: keys.server }
    const { stored, ...cfssl } = await startCfssl(bed.closing, options)
    return {
      ...cfssl,
      protocol: 'cfssl',
      ca: keys.ca,
      data: null,
      async assertStored(_id, enrolledSoFar) {
        const count = stored()
        if (count !== enrolledSoFar) throw new Error(`cfssl has stored ${count} certificates, not ${enrolledSoFar}`)
      },
    }
  })
}

/** Debian's, and a newer one that was built for the bench; for a first look the newest alone. */
function cfsslPeers({ note, options }: Bed): readonly Pick<CfsslOptions, 'name' | 'program'>[] {
  const installed = programPath('cfssl')
  const built = findBuilt('cfssl', '')
  const peers: Pick<CfsslOptions, 'name' | 'program'>[] = []
  if (installed === null) note(sideTitles.cfssl, 'not installed (apt-get install golang-cfssl)')
  else if (!options.isQuick || built === null) {
    const { version, runtime } = cfsslVersion(installed)
    note(sideTitles.cfssl, `${version} (${runtime})`)
    peers.push({ name: 'cfssl', program: installed })
  }
  if (built === null) note(sideTitles['cfssl-newer'], 'not there (bench/peers/build-cfssl.sh)')
  else {
    const program = join(built.folder, 'cfssl')
    note(sideTitles['cfssl-newer'], `${built.version} (${cfsslVersion(program).runtime})`)
    peers.push({ name: 'cfssl-newer', program })
  }
  return peers
}

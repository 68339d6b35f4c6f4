/** What a full mutual-TLS connect costs the server. */
import type { Bed } from '../bed.ts'
import { brokersOf, connectDevices } from '../brokers.ts'
import { tlsText } from '../conditions.ts'
import { besidePeers, type Row } from '../figures.ts'
import { cpuPerPiece, inRounds, withSides } from '../measure.ts'
import { sideTitles } from '../sides.ts'

const atOnce = 16
/** V8 goes on compiling what is used for some thousand connections; a server lives longer than that. */
const warmUpRounds = 4

export async function connectRows(bed: Bed): Promise<readonly Row[]> {
  const { starts, startGates } = await brokersOf(bed)
  bed.report('connects')
  const count = bed.sizes.connectsPerRound
  const agreed = new Map<string, string>()
  const series = await withSides([...starts, startGates], (brokers) =>
    inRounds(brokers, { warmUps: warmUpRounds, rounds: bed.sizes.rounds }, ({ name, mqtt, ...side }) =>
      cpuPerPiece({ name, ...side }, async () => {
        const { seconds, tls } = await bed.load.run('connects', {
          target: mqtt,
          devices: connectDevices,
          count,
          atOnce,
        })
        agreed.set(sideTitles[name], tls)
        return { pieces: count, seconds }
      }),
    ),
  )
  bed.note('TLS of MQTT', tlsText(agreed))
  return besidePeers({ name: 'mTLS connect, full handshake', unit: 'µs CPU', rank: 50, series })
}

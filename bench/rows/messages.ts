/** What a message from a publisher to a subscriber costs the server. */
import { type Bed, connectDevices } from '../bed.ts'
import { cpuPerPiece, inRounds, type Row, rowOf, withServers } from '../measure.ts'
import type { Server } from '../servers/server.ts'

interface Shape {
  readonly name: string
  readonly qos: 0 | 1
  /** Publishers, each with a subscriber of its own. */
  readonly pairs: number
  /** Messages of a pair that are under way at one time. */
  readonly batch: number
  /** Messages of a round. */
  readonly messages: number
}

/** At QoS 1 Mosquitto takes 20 unacknowledged messages by default and says so (Receive Maximum). */
const batchQos0 = 100
const batchQos1 = 20

const batchedPairs = 4
/** Every publisher's connection brings one message, and nobody waits for anybody else. */
const singlePairs = connectDevices

export async function messageRows(bed: Bed): Promise<readonly Row[]> {
  const { batchedQos0, batchedQos1, single, rounds } = bed.sizes
  const shapes: readonly Shape[] = [
    { name: 'QoS 0, batches of 100, 4 pairs', qos: 0, pairs: batchedPairs, batch: batchQos0, messages: batchedQos0 },
    { name: 'QoS 1, batches of 20, 4 pairs', qos: 1, pairs: batchedPairs, batch: batchQos1, messages: batchedQos1 },
    { name: 'QoS 0, one at a time, 50 pairs', qos: 0, pairs: singlePairs, batch: 1, messages: single },
    { name: 'QoS 1, one at a time, 50 pairs', qos: 1, pairs: singlePairs, batch: 1, messages: single },
  ]
  return withServers(bed, async (servers) => {
    const rows: Row[] = []
    for (const shape of shapes) {
      bed.report(`messages, ${shape.name}`)
      const samples = await inRounds(servers, { warmUps: 1, rounds }, (server) => sampleOf(bed, shape, server))
      rows.push(rowOf(`message of 100 bytes, ${shape.name}`, 'µs CPU', samples))
    }
    return rows
  })
}

async function sampleOf(bed: Bed, { qos, pairs, batch, messages }: Shape, server: Server) {
  await bed.load.run('openPairs', { target: server.target, pairs, qos, batch })
  const sample = await cpuPerPiece(server, async () => {
    const { seconds, delivered } = await bed.load.run('exchange', { messagesPerPair: Math.ceil(messages / pairs) })
    return { pieces: delivered, seconds }
  })
  await bed.load.run('release', {})
  return sample
}

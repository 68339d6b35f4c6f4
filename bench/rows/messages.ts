/** What a message from a publisher to a subscriber costs the server. */
import type { Bed } from '../bed.ts'
import { brokersOf, connectDevices } from '../brokers.ts'
import { besidePeers, type Round, type Row } from '../figures.ts'
import { cpuPerPiece, inRounds, settle, withSides } from '../measure.ts'
import type { Broker } from '../sides.ts'

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
/** V8 goes on compiling for some ten thousand messages. */
const warmUpRounds = 2
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
  const { starts } = await brokersOf(bed)
  return withSides(starts, async (brokers) => {
    const rows: Row[] = []
    for (const shape of shapes) {
      bed.report(`messages, ${shape.name}`)
      const series = await inRounds(brokers, { warmUps: warmUpRounds, rounds }, (broker) => roundOf(bed, shape, broker))
      rows.push(...besidePeers({ name: `message of 100 bytes, ${shape.name}`, unit: 'µs CPU', rank: 50, series }))
    }
    return rows
  })
}

async function roundOf(bed: Bed, { qos, pairs, batch, messages }: Shape, broker: Broker): Promise<Round> {
  await bed.load.run('openPairs', { target: broker.mqtt, pairs, qos, batch })
  await settle()
  const round = await cpuPerPiece(broker, async () => {
    const { seconds, delivered } = await bed.load.run('exchange', { messagesPerPair: Math.ceil(messages / pairs) })
    return { pieces: delivered, seconds }
  })
  await bed.load.run('release', {})
  return round
}

/** A publisher and a subscriber of one device, and messages between them. */
import { generate } from 'mqtt-packet'
import type { Client, FleetClients } from './client.ts'
import { many } from './many.ts'
import type { Tasks } from './tasks.ts'

const payloadBytes = 100
/** Pairs that are opened at one time. */
const atOnce = 16

export async function openPairs(
  clients: FleetClients,
  { target, pairs, qos, batch }: Tasks['openPairs']['request'],
): Promise<readonly Pair[]> {
  const opened: Pair[] = []
  await many(pairs, atOnce, async (index) => {
    const device = clients.device(index)
    const subscriber = await clients.open(target, device)
    await subscriber.subscribe(`devices/${device.id}/messages/#`, qos, payloadBytes)
    const publisher = await clients.open(target, device)
    opened[index] = new Pair(publisher, subscriber, { topic: `devices/${device.id}/messages/events`, qos, batch })
  })
  return opened
}

export interface Traffic {
  readonly topic: string
  readonly qos: 0 | 1
  /** Messages that are under way at one time; they leave in one write. */
  readonly batch: number
}

export class Pair {
  readonly publisher: Client
  readonly subscriber: Client
  readonly #traffic: Traffic
  readonly #packets: Buffer
  #delivered = 0
  #acknowledged = 0

  constructor(publisher: Client, subscriber: Client, traffic: Traffic) {
    this.publisher = publisher
    this.subscriber = subscriber
    this.#traffic = traffic
    this.#packets = Buffer.concat(Array.from({ length: traffic.batch }, (_, index) => messagePacket(traffic, index)))
  }

  /** Sends over all pairs at once. */
  static async exchange(pairs: readonly Pair[], messagesPerPair: number): Promise<Tasks['exchange']['answer']> {
    const startMs = performance.now()
    const delivered = await Promise.all(pairs.map((pair) => pair.#exchange(messagesPerPair)))
    const seconds = (performance.now() - startMs) / 1000
    return { seconds, delivered: delivered.reduce((sum, each) => sum + each, 0) }
  }

  /** Sends batch after batch, each when the one before has been delivered and, at QoS 1, acknowledged. */
  #exchange(messages: number): Promise<number> {
    const { batch, qos } = this.#traffic
    const whole = Math.ceil(messages / batch) * batch
    this.#delivered = 0
    this.#acknowledged = 0
    return new Promise((resolve, reject) => {
      const goOn = (): void => {
        const isSettled = this.#delivered % batch === 0 && (qos === 0 || this.#acknowledged === this.#delivered)
        if (!isSettled) return
        if (this.#delivered === whole) resolve(whole)
        else this.publisher.write(this.#packets)
      }
      this.subscriber.onMessage = (index) => {
        if (index !== this.#delivered % batch) reject(new Error(`message ${index} came out of turn`))
        this.#delivered += 1
        goOn()
      }
      this.publisher.onPuback = () => {
        this.#acknowledged += 1
        goOn()
      }
      this.subscriber.onBroken = reject
      this.publisher.onBroken = reject
      goOn()
    })
  }
}

/** @param index its place in the batch, which stands at the start of the payload */
function messagePacket({ topic, qos }: Traffic, index: number): Buffer {
  const payload = Buffer.alloc(payloadBytes, 'handfast')
  payload.writeUInt32BE(index)
  return generate(
    { cmd: 'publish', topic, payload, qos, retain: false, dup: false, ...(qos === 0 ? {} : { messageId: index + 1 }) },
    { protocolVersion: 5 },
  )
}

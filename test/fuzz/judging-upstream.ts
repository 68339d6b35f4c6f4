/**
 * A broker that reads what the gate lets through with a judge that is not ours. It hands it to a real broker, or answers as the
 * specification asks and sends messages of its own, those outside the rights of its client included.
 */
import { generate, type Packet } from 'mqtt-packet'
import { encodeConnect } from '../../src/core/mqtt/connect.ts'
import type {
  Upstream,
  UpstreamAbilities,
  UpstreamClient,
  UpstreamConnection,
  UpstreamListener,
} from '../../src/hub/ports/upstream.ts'
import { answerTo } from '../gate/fake-upstream.ts'
import { Judge } from './judge.ts'
import type { Seeded } from './seeded.ts'

/** What `pump-7` may reach, as the fuzz run sets its rights: `devices/pump-7/#`, which matches the level above too (§4.7.1.2). */
const own = 'devices/pump-7/'

type OnFault = (what: string, bytes: Buffer) => void

export class JudgingUpstream implements Upstream {
  readonly abilities: UpstreamAbilities
  /** Packets that have come, by their kind. */
  readonly packets = new Map<string, number>()
  openConnections = 0
  readonly #random: Seeded
  readonly #onFault: OnFault
  readonly #broker: Upstream | null

  /** @param broker a real one that gets and answers what was judged; null answers by itself */
  constructor(random: Seeded, onFault: OnFault, broker: Upstream | null) {
    this.#random = random
    this.#onFault = onFault
    this.#broker = broker
    this.abilities = broker?.abilities ?? {
      ...{ protocolVersions: new Set([4, 5]), qosMax: 2, retain: true, sharedSubscriptions: true },
    }
  }

  isAvailable(): boolean {
    return this.#broker?.isAvailable() ?? true
  }

  connect(client: UpstreamClient, listener: UpstreamListener): UpstreamConnection {
    const connection = new JudgedConnection(this, listener, this.#random, this.#onFault)
    connection.broker = this.#broker?.connect(client, connection) ?? null
    this.openConnections++
    const { owner, clientId, connect, keepAliveSec } = client
    connection.introduce(encodeConnect(connect, { clientId: `${owner}/${clientId}`, keepAliveSec }))
    return connection
  }

  async stop(): Promise<void> {
    await this.#broker?.stop()
  }
}

class JudgedConnection implements UpstreamConnection, UpstreamListener {
  readonly #upstream: JudgingUpstream
  readonly #listener: UpstreamListener
  readonly #random: Seeded
  readonly #onFault: OnFault
  broker: UpstreamConnection | null = null
  #judge: Judge | null = null
  #level: 4 | 5 = 4
  #isClosed = false

  constructor(upstream: JudgingUpstream, listener: UpstreamListener, random: Seeded, onFault: OnFault) {
    this.#upstream = upstream
    this.#listener = listener
    this.#random = random
    this.#onFault = onFault
  }

  /** The CONNECT, which a real broker has already. */
  introduce(connect: Buffer): void {
    this.#judge = this.#open(connect)
    this.#judge.read(connect)
  }

  send(bytes: Uint8Array): boolean {
    const chunk = Buffer.from(bytes)
    if (this.#isClosed) this.#onFault('something is sent to a closed connection', chunk)
    this.#judge?.read(chunk)
    if (this.broker !== null) return this.broker.send(bytes)
    if (!this.#random.chance(0.05)) return true
    setImmediate(() => this.#isClosed || this.#listener.onDrain())
    return false
  }

  #open(connect: Buffer): Judge {
    const level = connect[connect.indexOf('MQTT') + 4]
    if (level !== 4 && level !== 5) this.#onFault(`the CONNECT has level ${level}`, connect)
    this.#level = level === 5 ? 5 : 4
    return new Judge(this.#level, 'broker', this.#onFault, (packet) => this.#take(packet))
  }

  #take(packet: Packet): void {
    const { packets } = this.#upstream
    packets.set(packet.cmd, (packets.get(packet.cmd) ?? 0) + 1)
    for (const fault of overreach(packet)) this.#onFault(fault, Buffer.from(JSON.stringify(packet)))
    if (this.broker !== null) return
    setImmediate(() => {
      const answer = answerTo(packet, false)
      if (answer !== null) this.#say(answer)
      if (packet.cmd === 'connect' || this.#random.chance(0.3)) this.#deliver()
      if (packet.cmd === 'disconnect') this.#end()
    })
  }

  #deliver(): void {
    const random = this.#random
    const topic = random.pick([`${own}cmd`, `${own}ä`, 'devices/pump-8/cmd', 'other'])
    const qos = random.below(3)
    const messageId = 1 + random.below(100)
    const payload = random.bytes(random.below(200))
    this.#say({ cmd: 'publish', topic, payload, qos, retain: false, dup: false, ...(qos > 0 ? { messageId } : {}) })
    if (qos === 2 && random.chance(0.5)) this.#say({ cmd: 'pubrel', messageId })
  }

  #say(packet: object): void {
    if (!this.#isClosed) this.#listener.onData(generate(packet as Packet, { protocolVersion: this.#level }))
  }

  #end(broken = false): void {
    if (this.#isClosed) return
    this.close()
    this.#listener.onClose(broken)
  }

  onData(bytes: Uint8Array): void {
    if (!this.#isClosed) this.#listener.onData(bytes)
  }

  onDrain(): void {
    if (!this.#isClosed) this.#listener.onDrain()
  }

  /** The real broker has closed. */
  onClose(broken: boolean): void {
    if (broken) this.#onFault('the broker has failed', Buffer.alloc(0))
    this.broker = null
    this.#end(broken)
  }

  pause(): void {
    this.broker?.pause()
  }

  resume(): void {
    this.broker?.resume()
  }

  close(): void {
    if (this.#isClosed) this.#onFault('a connection is closed twice', Buffer.alloc(0))
    else this.#upstream.openConnections--
    this.#isClosed = true
    this.broker?.close()
  }
}

/** What a client that may reach what is its own alone has reached beyond it. */
function* overreach(packet: Packet): Generator<string> {
  const isOwn = (topic: unknown) => typeof topic === 'string' && `${topic}/`.startsWith(own)
  switch (packet.cmd) {
    case 'connect':
      if (!packet.clientId.startsWith('pump-7/')) yield 'the client id has no identity in front'
      if (packet.username !== undefined || packet.password !== undefined) yield 'a password goes on'
      if (packet.properties?.topicAliasMaximum !== undefined) yield 'the offer of aliases goes on'
      if (packet.will !== undefined && !isOwn(packet.will.topic)) yield `a will on ${packet.will.topic}`
      return
    case 'publish':
      if (!isOwn(packet.topic)) yield `a message on ${packet.topic}`
      if (packet.properties?.responseTopic !== undefined && !isOwn(packet.properties.responseTopic))
        yield `answers on ${packet.properties.responseTopic}`
      return
    case 'subscribe':
      for (const { topic } of packet.subscriptions) {
        if (!isOwn(topic.replace(/^\$share\/[^/]+\//, ''))) yield `a subscription to ${topic}`
      }
      return
    default:
  }
}

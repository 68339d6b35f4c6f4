import { generate, type Packet, type Parser, parser } from 'mqtt-packet'
import { HubError } from '../../src/core/errors.ts'
import { encodeConnect } from '../../src/core/mqtt/connect.ts'
import type {
  Upstream,
  UpstreamAbilities,
  UpstreamClient,
  UpstreamConnection,
  UpstreamListener,
} from '../../src/hub/ports/upstream.ts'

/** A broker that answers as the specification asks and keeps no state; tests may hold it up and speak in its place. */
export class FakeUpstream implements Upstream {
  abilities: UpstreamAbilities = {
    protocolVersions: new Set([4, 5]),
    qosMax: 2,
    retain: true,
    sharedSubscriptions: true,
  }
  isUp = true
  /** What its CONNACKs say. */
  sessionPresent = false
  /** Packets that it takes without an answer. */
  mute: ReadonlySet<string> = new Set()
  readonly connections: FakeConnection[] = []

  isAvailable(): boolean {
    return this.isUp
  }

  connect({ owner, clientId, connect, keepAliveSec }: UpstreamClient, listener: UpstreamListener): UpstreamConnection {
    if (!this.isUp) throw new HubError('upstream-unavailable', 'the fake is down')
    const connection = new FakeConnection(this, listener)
    this.connections.push(connection)
    connection.send(encodeConnect(connect, { clientId: `${owner}/${clientId}`, keepAliveSec }))
    return connection
  }

  async stop(): Promise<void> {}

  /** The newest connection. */
  get last(): FakeConnection {
    const last = this.connections.at(-1)
    if (last === undefined) throw new Error('nobody has connected to the fake broker')
    return last
  }
}

export class FakeConnection implements UpstreamConnection {
  /** Packets as they came. */
  readonly received: Packet[] = []
  /** Sizes of the pieces in which they came. */
  readonly pieces: number[] = []
  isClosed = false
  isPaused = false
  /** What `send` answers. */
  hasRoom = true
  readonly listener: UpstreamListener
  readonly #upstream: FakeUpstream
  #parser: Parser = parser({ protocolVersion: 4 })
  #version: 4 | 5 = 4
  #waiting: { readonly cmd: string; readonly resolve: (packet: Packet) => void }[] = []

  constructor(upstream: FakeUpstream, listener: UpstreamListener) {
    this.#upstream = upstream
    this.listener = listener
    this.#parser.on('packet', (packet) => this.#take(packet))
  }

  send(bytes: Uint8Array): boolean {
    this.pieces.push(bytes.length)
    const chunk = Buffer.from(bytes)
    if (this.received.length === 0) {
      this.#version = chunk[chunk[1] === undefined ? 0 : chunk.indexOf('MQTT') + 4] === 5 ? 5 : 4
      this.#parser = parser({ protocolVersion: this.#version })
      this.#parser.on('packet', (packet) => this.#take(packet))
    }
    this.#parser.parse(chunk)
    return this.hasRoom
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  close(): void {
    this.isClosed = true
  }

  /** Sends a packet to the client. */
  say(packet: object): void {
    this.listener.onData(generate(packet as Packet, { protocolVersion: this.#version }))
  }

  /** The first packet of a kind that has come or comes. */
  async heard(cmd: string): Promise<Packet> {
    const present = this.received.find((packet) => packet.cmd === cmd)
    if (present !== undefined) return present
    return await new Promise((resolve) => this.#waiting.push({ cmd, resolve }))
  }

  #take(packet: Packet): void {
    this.received.push(packet)
    this.#waiting = this.#waiting.filter(({ cmd, resolve }) => {
      if (cmd === packet.cmd) resolve(packet)
      return cmd !== packet.cmd
    })
    if (this.#upstream.mute.has(packet.cmd)) return
    // A broker answers later, not from within `send`.
    setImmediate(() => {
      const answer = answerTo(packet, this.#upstream.sessionPresent)
      if (answer !== null && !this.isClosed) this.say(answer)
    })
  }
}

/** What a broker says to a packet. */
export function answerTo(packet: Packet, sessionPresent: boolean): object | null {
  switch (packet.cmd) {
    case 'connect':
      return { cmd: 'connack', sessionPresent, returnCode: 0, reasonCode: 0 }
    case 'subscribe':
      return { cmd: 'suback', messageId: packet.messageId, granted: packet.subscriptions.map(({ qos }) => qos) }
    case 'unsubscribe':
      return { cmd: 'unsuback', messageId: packet.messageId, granted: packet.unsubscriptions.map(() => 0) }
    case 'publish':
      if (packet.qos === 0) return null
      return { cmd: packet.qos === 1 ? 'puback' : 'pubrec', messageId: packet.messageId }
    case 'pubrel':
      return { cmd: 'pubcomp', messageId: packet.messageId }
    case 'pingreq':
      return { cmd: 'pingresp' }
    default:
      return null
  }
}

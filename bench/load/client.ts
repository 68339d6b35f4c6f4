/**
 * MQTT 5 over TLS 1.3 with as little work for each message as possible: packets to send are made beforehand, packets that
 * come are counted by their first bytes. The server decides nothing of this: cipher and key exchange are the same for all.
 */
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import { generate, type Packet, parser } from 'mqtt-packet'
import type { Device, Fleet } from '../fleet.ts'
import type { Target } from '../sides.ts'
import { PacketCutter } from './packet-cutter.ts'
import { tlsInWords, tlsOffer } from './tls-offer.ts'

/** Milliseconds for TLS, CONNECT and SUBSCRIBE, each. */
const answerMs = 20_000
/** Keep-alive in seconds, longer than any measurement: no pings. */
const keepAliveSec = 900

const publish = 3
const puback = 4

export class FleetClients {
  readonly #fleet: Fleet
  readonly #contexts = new Map<string, SecureContext>()
  #opened = 0

  constructor(fleet: Fleet) {
    this.#fleet = fleet
  }

  device(index: number): Device {
    const device = this.#fleet.devices[index]
    if (device === undefined) throw new Error(`the fleet has no device ${index}`)
    return device
  }

  /** Connects; fulfilled with the CONNACK. */
  async open(target: Target, device: Device): Promise<Client> {
    const client = new Client(target, this.#contextOf(device), `load-${this.#opened++}`)
    await client.connected
    return client
  }

  #contextOf(device: Device): SecureContext {
    let context = this.#contexts.get(device.id)
    if (context === undefined) {
      context = createSecureContext({
        ca: this.#fleet.ca,
        cert: device.cert,
        key: device.key,
        ...tlsOffer,
      })
      this.#contexts.set(device.id, context)
    }
    return context
  }
}

export class Client {
  /** Fulfilled with the CONNACK that lets the client in. */
  readonly connected: Promise<void>
  /** Fulfilled when the socket is closed, whoever closed it. */
  readonly closed: Promise<void>
  isClosed = false
  /** Each message: the index at the start of its payload. */
  onMessage: (index: number) => void = () => {}
  onPuback: () => void = () => {}
  /** The connection ended before `end` was called, or the server said something wrong. */
  onBroken: (error: Error) => void = () => {}
  readonly #socket: TLSSocket
  readonly #cutter = new PacketCutter()
  #payloadBytes = 0
  #acknowledgements: Buffer[] = []
  #onAnswer: (packet: Packet) => void = () => {}
  #isEnding = false
  #error: Error | null = null

  constructor(target: Target, secureContext: SecureContext, clientId: string) {
    const socket = connect({ ...target, servername: 'localhost', secureContext })
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('error', (error) => {
      this.#error ??= error
    })
    const { promise: closed, resolve: setClosed } = Promise.withResolvers<void>()
    this.closed = closed
    socket.once('close', () => {
      this.isClosed = true
      setClosed()
      if (!this.#isEnding) this.#break(new Error('the server closed the connection'))
    })
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    this.connected = this.#connect(clientId)
  }

  /** What the handshake has agreed on, in words. */
  get tls(): string {
    return tlsInWords(this.#socket)
  }

  async #connect(clientId: string): Promise<void> {
    const packet: Packet = {
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 5,
      clientId,
      clean: true,
      keepalive: keepAliveSec,
    }
    const secured = new Promise<void>((resolve) => this.#socket.once('secureConnect', resolve))
    await this.#within(secured, 'TLS handshake')
    if (this.#socket.isSessionReused()) throw new Error('the TLS session was resumed')
    const answer = await this.#ask(packet, 'connack')
    if (answer.cmd !== 'connack' || answer.reasonCode !== 0) throw new Error(`refused: ${JSON.stringify(answer)}`)
  }

  /** @param payloadBytes length of the payloads that will come */
  async subscribe(topic: string, qos: 0 | 1, payloadBytes: number): Promise<void> {
    this.#payloadBytes = payloadBytes
    const packet: Packet = { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos }] }
    const answer = await this.#ask(packet, 'suback')
    if (answer.cmd !== 'suback' || answer.granted[0] !== qos) throw new Error(`not granted: ${JSON.stringify(answer)}`)
  }

  /** Sends packets that were made before. */
  write(packets: Buffer): void {
    this.#socket.write(packets)
  }

  /** DISCONNECT; fulfilled when the socket is closed. */
  end(): Promise<void> {
    this.#isEnding = true
    if (!this.isClosed) this.#socket.end(disconnectPacket)
    return this.closed
  }

  async #ask(packet: Packet, answer: Packet['cmd']): Promise<Packet> {
    const { promise, resolve } = Promise.withResolvers<Packet>()
    this.#onAnswer = resolve
    this.#socket.write(generate(packet, { protocolVersion: 5 }))
    return this.#within(promise, answer.toUpperCase())
  }

  async #within<T>(work: Promise<T>, what: string): Promise<T> {
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(new Error(`no ${what} within ${answerMs / 1000} s`)), answerMs)
    const gone = this.closed.then(() => {
      throw this.#error ?? new Error(`the server closed the connection before the ${what}`)
    })
    try {
      return await Promise.race([work, late, gone])
    } catch (error) {
      this.#isEnding = true
      this.#socket.destroy()
      throw error
    } finally {
      clearTimeout(timer)
      gone.catch(() => {})
    }
  }

  #read(chunk: Buffer): void {
    for (const packet of this.#cutter.cut(chunk)) {
      const type = (packet[0] ?? 0) >> 4
      if (type === publish) this.#readPublish(packet)
      else if (type === puback) this.#readPuback(packet)
      else this.#readOther(packet)
    }
    if (this.#acknowledgements.length > 0) {
      this.#socket.write(Buffer.concat(this.#acknowledgements))
      this.#acknowledgements = []
    }
  }

  #readPublish(packet: Buffer): void {
    if (((packet[0] ?? 0) & 0b0110) !== 0) {
      const topicAt = (packet[1] ?? 0) < 0x80 ? 2 : 3
      const idAt = topicAt + 2 + packet.readUInt16BE(topicAt)
      this.#acknowledgements.push(Buffer.from([puback << 4, 2, packet[idAt] ?? 0, packet[idAt + 1] ?? 0]))
    }
    this.onMessage(packet.readUInt32BE(packet.length - this.#payloadBytes))
  }

  #readPuback(packet: Buffer): void {
    if ((packet[4] ?? 0) >= 0x80) this.#break(new Error(`a PUBACK says 0x${packet[4]?.toString(16)}`))
    else this.onPuback()
  }

  #readOther(bytes: Buffer): void {
    const reader = parser({ protocolVersion: 5 })
    reader.on('packet', (packet) => {
      if (packet.cmd === 'disconnect') this.#error ??= new Error(`told to go: ${JSON.stringify(packet)}`)
      else this.#onAnswer(packet)
    })
    reader.on('error', (error: Error) => this.#break(error))
    reader.parse(bytes)
  }

  #break(error: Error): void {
    this.#error ??= error
    this.onBroken(this.#error)
  }
}

const disconnectPacket: Buffer = generate({ cmd: 'disconnect', reasonCode: 0 }, { protocolVersion: 5 })

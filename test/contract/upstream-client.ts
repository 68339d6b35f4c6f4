/** A small MQTT client over one upstream connection, for tests: packets in, packets out, nothing by itself. */
import mqtt, { type IConnackPacket, type IConnectPacket, type IPublishPacket, type Packet } from 'mqtt-packet'
import { parseConnect } from '../../src/core/mqtt/connect.ts'
import { Violation } from '../../src/core/mqtt/violation.ts'
import type { Upstream, UpstreamConnection, UpstreamListener } from '../../src/hub/ports/upstream.ts'

export type Version = 4 | 5

export class UpstreamClient {
  readonly version: Version
  /** True after the connection ended in the upstream's failure, false after an ordinary end, null while it lives. */
  ended: boolean | null = null
  drains = 0
  /** Bytes that have come in all. */
  bytesReceived = 0
  #messageId = 0
  readonly #packets: Packet[] = []
  #wakeUp: () => void = () => {}
  readonly #upstream: Upstream
  readonly #listener: UpstreamListener
  #connection: UpstreamConnection | null = null

  constructor(upstream: Upstream, version: Version) {
    this.version = version
    const parser = mqtt.parser({ protocolVersion: version })
    parser.on('packet', (packet) => {
      this.#packets.push(packet)
      this.#wakeUp()
    })
    this.#upstream = upstream
    this.#listener = {
      onData: (bytes) => {
        this.bytesReceived += bytes.length
        parser.parse(Buffer.from(bytes))
        this.#wakeUp()
      },
      onDrain: () => {
        this.drains++
        this.#wakeUp()
      },
      onClose: (broken) => {
        this.ended = broken
        this.#wakeUp()
      },
    }
  }

  get connection(): UpstreamConnection {
    if (this.#connection === null) throw new Error('the client has not connected')
    return this.#connection
  }

  /** Connects and returns the CONNACK. */
  async connect(change: Partial<IConnectPacket> & { readonly clientId: string }): Promise<IConnackPacket> {
    const protocolVersion = this.version
    const packet = {
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion,
      clean: true,
      keepalive: 60,
      ...change,
    } as const
    const connect = parseConnect(mqtt.generate(packet as IConnectPacket, { protocolVersion }))
    if (connect instanceof Violation) throw new Error(connect.sentence)
    const { clientId, keepAliveSec } = connect
    const names = { identityId: 'tester', owner: 'tester', clientId }
    this.#connection = this.#upstream.connect({ ...names, connect, keepAliveSec }, this.#listener)
    return await this.next('connack')
  }

  /** Ends the connection where there is one. */
  close(): void {
    this.#connection?.close()
  }

  send(packet: Packet): boolean {
    return this.connection.send(mqtt.generate(packet, { protocolVersion: this.version }))
  }

  async subscribe(topic: string, qos: 0 | 1 | 2): Promise<void> {
    const messageId = this.nextMessageId()
    this.send({ cmd: 'subscribe', messageId, subscriptions: [{ topic, qos, nl: false, rap: false, rh: 0 }] })
    await this.next('suback')
  }

  /** Publishes and ends with the last acknowledgement. */
  async publish(topic: string, payload: string, change: Partial<IPublishPacket> = {}): Promise<void> {
    const qos = change.qos ?? 0
    const messageId = this.nextMessageId()
    this.send({ cmd: 'publish', topic, payload, qos, dup: false, retain: false, messageId, ...change })
    if (qos === 1) await this.next('puback')
    if (qos === 2) {
      await this.next('pubrec')
      this.send({ cmd: 'pubrel', messageId })
      await this.next('pubcomp')
    }
  }

  /** The next PUBLISH, acknowledged to the end. */
  async receive(): Promise<IPublishPacket> {
    const packet = await this.next('publish')
    await this.acknowledge(packet)
    return packet
  }

  /** Acknowledges a PUBLISH to the end. */
  async acknowledge({ messageId, qos }: IPublishPacket): Promise<void> {
    if (messageId !== undefined && qos === 1) this.send({ cmd: 'puback', messageId })
    if (messageId !== undefined && qos === 2) {
      this.send({ cmd: 'pubrec', messageId })
      await this.next('pubrel')
      this.send({ cmd: 'pubcomp', messageId })
    }
  }

  /** How many packets of a kind have come and have not been taken. */
  count(cmd: Packet['cmd']): number {
    return this.#packets.filter((packet) => packet.cmd === cmd).length
  }

  /** The next packet of a kind; those of other kinds stay. */
  async next<K extends Packet['cmd']>(cmd: K): Promise<Extract<Packet, { cmd: K }>> {
    let found = -1
    await this.until(() => {
      found = this.#packets.findIndex((packet) => packet.cmd === cmd)
      return found >= 0
    })
    return this.#packets.splice(found, 1)[0] as Extract<Packet, { cmd: K }>
  }

  /** Ends when something that came makes the question true. */
  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wakeUp = resolve
      await promise
    }
  }

  nextMessageId(): number {
    this.#messageId = (this.#messageId % 0xffff) + 1
    return this.#messageId
  }
}

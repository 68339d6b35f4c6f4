/**
 * Reads a stream of packets with mqtt-packet, a parser that is not ours, and says what is wrong with it. Where that parser is
 * lenient, the rules beside it are written from the specification and share no code with the gate.
 */
import { type Packet, type Parser, parser } from 'mqtt-packet'

export class Judge {
  readonly #parser: Parser
  readonly #side: 'broker' | 'client'
  readonly #onFault: (what: string, bytes: Buffer) => void
  readonly #onPacket: (packet: Packet) => void
  #bytes: Buffer = Buffer.alloc(0)
  #count = 0
  #isOver = false

  /** @param side who reads the stream */
  constructor(
    level: 4 | 5,
    side: 'broker' | 'client',
    onFault: (what: string, bytes: Buffer) => void,
    onPacket: (packet: Packet) => void,
  ) {
    this.#parser = parser({ protocolVersion: level })
    this.#side = side
    this.#onFault = onFault
    this.#onPacket = onPacket
    this.#parser.on('packet', (packet) => this.#take(packet))
    this.#parser.on('error', (error) => this.#fault(error.message))
  }

  /** @param bytes whole packets, unless the reader is the client */
  read(bytes: Buffer): void {
    if (this.#isOver) this.#fault('something follows the last packet')
    this.#bytes = bytes
    try {
      this.#parser.parse(bytes)
    } catch (error) {
      this.#fault(`the parser throws ${String(error)}`)
    }
    const left = this.#side === 'broker' ? behindLastPacket(bytes) : 0
    if (left > 0) this.#fault(`${left} bytes are no whole packet`)
  }

  #take(packet: Packet): void {
    const isFirst = this.#count++ === 0
    if (this.#side === 'broker') {
      if (isFirst !== (packet.cmd === 'connect')) this.#fault(`${packet.cmd} is packet ${this.#count}`)
      if (!fromClients.has(packet.cmd)) this.#fault(`a client never sends ${packet.cmd}`)
      if (packet.cmd === 'disconnect') this.#isOver = true
    } else {
      if (isFirst !== (packet.cmd === 'connack')) this.#fault(`${packet.cmd} is packet ${this.#count}`)
      if (!fromServers.has(packet.cmd)) this.#fault(`a server never sends ${packet.cmd}`)
    }
    for (const fault of faultsOf(packet, this.#side)) this.#fault(fault)
    if (JSON.stringify(textsOf(packet)).includes('\ufffd') && !this.#bytes.includes('\ufffd'))
      this.#fault('a string is not UTF-8')
    this.#onPacket(packet)
  }

  #fault(what: string): void {
    this.#onFault(what, this.#bytes)
  }
}

/** How many bytes begin a packet that does not end (MQTT 5 §2.1.4); the parser waits for more and says nothing. */
function behindLastPacket(bytes: Buffer): number {
  for (let start = 0; start < bytes.length; ) {
    let at = start + 1
    let length = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]
      if (byte === undefined) return bytes.length - start
      length += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) break
    }
    if (at + length > bytes.length) return bytes.length - start
    start = at + length
  }
  return 0
}

const fromClients: ReadonlySet<string> = new Set(
  'connect publish puback pubrec pubrel pubcomp subscribe unsubscribe pingreq disconnect'.split(' '),
)
const fromServers: ReadonlySet<string> = new Set(
  'connack publish puback pubrec pubrel pubcomp suback unsuback pingresp disconnect'.split(' '),
)

/** MQTT 5 table 2-4, for what comes to a broker; mqtt-packet lets all stand everywhere. */
const message = 'payloadFormatIndicator messageExpiryInterval contentType responseTopic correlationData userProperties'
const result = 'reasonString userProperties'
const propertiesOf: Readonly<Record<string, ReadonlySet<string>>> = {
  connect: words(
    'sessionExpiryInterval requestProblemInformation requestResponseInformation receiveMaximum userProperties maximumPacketSize',
  ),
  connack: words(
    `sessionExpiryInterval assignedClientIdentifier serverKeepAlive responseInformation receiveMaximum topicAliasMaximum
     maximumQoS retainAvailable maximumPacketSize wildcardSubscriptionAvailable subscriptionIdentifiersAvailable
     sharedSubscriptionAvailable ${result}`,
  ),
  publish: words(message),
  ...{ puback: words(result), pubrec: words(result), pubrel: words(result), pubcomp: words(result) },
  ...{ suback: words(result), unsuback: words(result) },
  subscribe: words('subscriptionIdentifier userProperties'),
  unsubscribe: words('userProperties'),
  disconnect: words(`sessionExpiryInterval ${result}`),
}

function words(list: string): ReadonlySet<string> {
  return new Set(list.split(/\s+/))
}

function* faultsOf(packet: Packet, reader: 'broker' | 'client'): Generator<string> {
  const { messageId, properties } = packet as { messageId?: number; properties?: Record<string, unknown> }
  if (messageId === 0) yield 'the packet identifier is 0'
  if ([properties?.subscriptionIdentifier].flat().includes(0)) yield 'the subscription identifier is 0'
  if (packet.cmd === 'publish') {
    if (packet.topic === '' || /[+#\0]/.test(packet.topic)) yield `the topic is ${JSON.stringify(packet.topic)}`
    if (packet.dup && packet.qos === 0) yield 'DUP stands at QoS 0'
    if (properties?.topicAlias !== undefined) yield 'a topic alias goes on'
  }
  const named = Object.keys((properties?.userProperties ?? {}) as object)
  if (reader === 'broker' && named.some((name) => /^handfast-/i.test(name)))
    yield 'it says who it is in words of the gate'
  for (const [name, value] of Object.entries(properties ?? {})) {
    // A server names the subscriptions that a message comes for, a client may not (MQTT-3.3.4-6).
    const isNamed = name === 'subscriptionIdentifier' && packet.cmd === 'publish' && reader === 'client'
    if (propertiesOf[packet.cmd]?.has(name) !== true && !isNamed) yield `a ${packet.cmd} has the property ${name}`
    if (Array.isArray(value) && name !== 'subscriptionIdentifier') yield `the property ${name} stands there twice`
  }
  const responseTopic = properties?.responseTopic
  if (typeof responseTopic === 'string' && /[+#\0]/.test(responseTopic)) yield 'the response topic has a wildcard'
  if (packet.cmd === 'subscribe') {
    for (const { topic } of packet.subscriptions) if (!isFilter(topic)) yield `the filter is ${JSON.stringify(topic)}`
  }
  if (packet.cmd === 'unsubscribe') {
    for (const topic of packet.unsubscriptions) if (!isFilter(topic)) yield `the filter is ${JSON.stringify(topic)}`
  }
}

/** MQTT 5 §4.7.1 and §4.8.2 as regular expressions. */
function isFilter(filter: string): boolean {
  const shared = /^\$share\/[^/+#]+\/(?=.)/s
  if (filter.startsWith('$share/') && !shared.test(filter)) return false
  return /^(?:(?:\+|[^/+#\0]*)\/)*(?:#|\+|[^/+#\0]*)$/.test(filter) && filter !== ''
}

function textsOf(packet: Packet): unknown {
  switch (packet.cmd) {
    case 'publish':
      return [
        packet.topic,
        packet.properties?.responseTopic,
        packet.properties?.contentType,
        packet.properties?.userProperties,
      ]
    case 'subscribe':
      return packet.subscriptions
    case 'unsubscribe':
      return packet.unsubscriptions
    case 'connect':
      return [packet.clientId, packet.will?.topic]
    default:
      return []
  }
}

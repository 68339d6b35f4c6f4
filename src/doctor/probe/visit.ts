/** One session with a broker: CONNECT, and where a topic was named a subscription to it and a message through it. */
import type { Duplex } from 'node:stream'
import { limits } from '../../core/limits.ts'
import { parseConnack } from '../../core/mqtt/connack.ts'
import { encodeConnect } from '../../core/mqtt/connect.ts'
import { encodeGoodbye } from '../../core/mqtt/disconnect.ts'
import type { TopicFilter } from '../../core/mqtt/filter.ts'
import { type Property, property } from '../../core/mqtt/properties.ts'
import { type ProtocolVersion, packetType, typeOf } from '../../core/mqtt/protocol.ts'
import { encodePublish, scanPublish } from '../../core/mqtt/publish.ts'
import { encodeSubscribe, parseSuback } from '../../core/mqtt/subscribe.ts'
import type { TopicName } from '../../core/mqtt/topic.ts'
import { Violation } from '../../core/mqtt/violation.ts'
import type { Secret } from '../../core/secret.ts'
import { PacketStream, type StreamEnd } from './packet-stream.ts'

export interface VisitOptions {
  readonly version: ProtocolVersion
  readonly clientId: string
  readonly username: string | null
  /** Null also where it is not to be sent to who is there. */
  readonly password: Secret | null
  /** Null asks for nothing but the CONNACK. */
  readonly topic: TopicName | null
  /** Time for each answer. */
  readonly stepMs: number
}

/** An answer of the broker, or why there was none. */
export type Answer =
  | { readonly kind: 'answer'; readonly code: number; readonly reason: string | null; readonly server: string | null }
  | { readonly kind: 'none'; readonly end: StreamEnd }

export interface Visit {
  readonly version: ProtocolVersion
  readonly connack: Answer
  /** The first octets that came. */
  readonly start: Buffer
  /** Null where it was not come to. */
  readonly suback: Answer | null
  readonly puback: Answer | null
  /** Whether the message came back. */
  readonly isHeard: boolean
}

/** @param stream a connection on which nothing was written yet; it is closed */
export async function visit(stream: Duplex, options: VisitOptions): Promise<Visit> {
  const packets = new PacketStream(stream)
  const { version, clientId, username, password, topic } = options
  packets.write(
    encodeConnect(
      { version, cleanStart: true, will: null, properties: [] },
      {
        clientId,
        keepAliveSec: 30,
        username,
        password: password === null ? null : Buffer.from(password.reveal(), 'utf8'),
      },
    ),
  )
  const connack = await connackOf(packets, options)
  const isIn = connack.kind === 'answer' && connack.code === 0
  const talk = isIn && topic !== null ? await talkAbout(topic, packets, options) : noTalk
  if (isIn) packets.write(encodeGoodbye())
  packets.close()
  return { version, connack, start: packets.start, ...talk }
}

async function connackOf(packets: PacketStream, { version, stepMs }: VisitOptions): Promise<Answer> {
  const packet = await packets.next(stepMs)
  if (!Buffer.isBuffer(packet)) return { kind: 'none', end: packet }
  if (typeOf(packet) !== packetType.connack) return unreadable
  // A broker that knows nothing of MQTT 5 refuses it in the form of MQTT 3.1.1.
  const connack = parseConnack(packet, packet.length === 4 ? 4 : version)
  if (connack instanceof Violation) return unreadable
  return {
    kind: 'answer',
    code: connack.code,
    reason: textIn(connack.properties, property.reasonString),
    server: textIn(connack.properties, property.serverReference),
  }
}

const unreadable: Answer = { kind: 'none', end: { kind: 'unreadable', code: null, alert: null } }

/** Behind the two octets of its length. */
function textIn(properties: readonly Property[], id: number): string | null {
  const value = properties.find((each) => each.id === id)?.value
  return value === undefined ? null : value.toString('utf8', 2)
}

type Talk = Pick<Visit, 'suback' | 'puback' | 'isHeard'>
const noTalk: Talk = { suback: null, puback: null, isHeard: false }

/** What the message says; whoever reads it should know where it comes from. */
const payload = Buffer.from('handfast doctor')

async function talkAbout(topic: TopicName, packets: PacketStream, { version, stepMs }: VisitOptions): Promise<Talk> {
  const subscription = { filter: topic as string as TopicFilter, qos: 1, options: 1 } as const
  packets.write(
    encodeSubscribe({ packetId: 1, properties: [], subscriptions: [subscription] }, [subscription], version),
  )
  const suback = await answerTo(packets, packetType.suback, { version, stepMs }, () => {})
  if (suback.kind === 'none') return { ...noTalk, suback }
  let isHeard = false
  const listen = (packet: Buffer): void => {
    const head = scanPublish(packet, version, 'broker')
    if (!(head instanceof Violation) && head.topic === topic && packet.subarray(-payload.length).equals(payload))
      isHeard = true
  }
  packets.write(
    encodePublish({ topic, qos: 1, retain: false, dup: false, packetId: 2, properties: [], payload }, version),
  )
  const puback = await answerTo(packets, packetType.puback, { version, stepMs }, listen)
  const mayCome = puback.kind === 'answer' && puback.code < 0x80 && suback.code < 0x80
  const untilMs = performance.now() + Math.min(stepMs, limits.probeDeliveryMs)
  while (mayCome && !isHeard) {
    const packet = await packets.next(Math.max(untilMs - performance.now(), 0))
    if (!Buffer.isBuffer(packet)) break
    if (typeOf(packet) === packetType.publish) listen(packet)
  }
  return { suback, puback, isHeard }
}

/** The answer of that type; messages on the way are handed over. */
async function answerTo(
  packets: PacketStream,
  type: typeof packetType.suback | typeof packetType.puback,
  { version, stepMs }: Pick<VisitOptions, 'version' | 'stepMs'>,
  onPublish: (packet: Buffer) => void,
): Promise<Answer> {
  const untilMs = performance.now() + stepMs
  for (;;) {
    const packet = await packets.next(Math.max(untilMs - performance.now(), 0))
    if (!Buffer.isBuffer(packet)) return { kind: 'none', end: packet }
    if (typeOf(packet) === packetType.publish) onPublish(packet)
    if (typeOf(packet) === packetType.disconnect) {
      return { kind: 'answer', code: packet[2] ?? 0x80, reason: null, server: null }
    }
    if (typeOf(packet) !== type) continue
    if (type === packetType.suback) {
      const suback = parseSuback(packet, version)
      return suback instanceof Violation
        ? unreadable
        : { kind: 'answer', code: suback.codes[0] ?? 0x80, reason: null, server: null }
    }
    // Two octets of header, two of packet id, then the reason of MQTT 5 where it is not success.
    return { kind: 'answer', code: packet[4] ?? 0, reason: null, server: null }
  }
}

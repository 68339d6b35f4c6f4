/**
 * Reads what a client sends, in place of Aedes' parser, which reads what is rare. PUBLISH without properties and PUBACK are nearly
 * all that a busy client sends, and the gate's own code reads them in a third of the time.
 */
import { readAcknowledgement } from '../../../core/mqtt/acknowledgement.ts'
import { bodyOffset } from '../../../core/mqtt/cursor.ts'
import { type ProtocolVersion, packetType, type QoS, typeOf } from '../../../core/mqtt/protocol.ts'
import { type PublishHead, scanPublish } from '../../../core/mqtt/publish.ts'
import { PacketSplitter } from '../../../core/mqtt/splitter.ts'
import { Violation } from '../../../core/mqtt/violation.ts'
import type { AedesClient } from './aedes-types.ts'

/** As long as MQTT can say: the gate has looked at the length of each packet, and Aedes does so again. */
const packetBytesMax = 0xfff_ffff + 5

/**
 * @param onDeclined called with the packet identifier of a message of QoS 2 that the client declines (MQTT 5 §4.3.3), of which
 *   Aedes tells nobody
 */
export function readPackets(client: AedesClient, onDeclined: (packetId: number) => void): void {
  const parser = client._parser
  const parseRare = parser.parse.bind(parser)
  const splitter = new PacketSplitter(packetBytesMax)

  parser.parse = (bytes) => {
    splitter.feed(bytes)
    for (;;) {
      const packet = splitter.take()
      if (packet === null) return
      if (packet instanceof Violation) {
        parser.emit('error', new Error(packet.sentence))
        return
      }
      // Before that it is not said which version of MQTT this is.
      const quick = client.connackSent ? readQuickly(packet, client.version) : null
      if (quick !== null) parser.emit('packet', quick)
      else {
        parseRare(packet)
        if (typeOf(packet) === packetType.pubrec) noteDeclined(packet)
      }
    }
  }

  function noteDeclined(packet: Buffer): void {
    const acknowledgement = readAcknowledgement(packet)
    if (acknowledgement?.isFinal === true) onDeclined(acknowledgement.packetId)
  }
}

function readQuickly(packet: Buffer, version: ProtocolVersion): ReadPublish | ReadPuback | null {
  if (packet.length === 4 && typeOf(packet) === packetType.puback)
    return new ReadPuback(packet.readUInt16BE(2), version)
  if (typeOf(packet) !== packetType.publish) return null
  const head = scanPublish(packet, version, 'client')
  if (head instanceof Violation) return null
  const bodyAt = bodyOffset(packet)
  const plainBytes = 2 + packet.readUInt16BE(bodyAt) + (head.qos > 0 ? 2 : 0) + (version === 5 ? 1 : 0)
  return head.payloadOffset === bodyAt + plainBytes ? new ReadPublish(packet, bodyAt, head) : null
}

/** What mqtt-packet makes of a PUBLISH without properties. */
class ReadPublish {
  readonly cmd = 'publish'
  readonly retain: boolean
  readonly qos: QoS
  readonly dup: boolean
  /** The remaining length. */
  readonly length: number
  readonly topic: string
  readonly payload: Buffer
  readonly messageId: number | undefined

  constructor(packet: Buffer, bodyAt: number, { topic, qos, retain, dup, packetId, payloadOffset }: PublishHead) {
    this.retain = retain
    this.qos = qos
    this.dup = dup
    this.length = packet.length - bodyAt
    this.topic = topic
    this.payload = packet.subarray(payloadOffset)
    this.messageId = qos > 0 ? packetId : undefined
  }
}

/** What mqtt-packet makes of a PUBACK in its short form. */
class ReadPuback {
  readonly cmd = 'puback'
  readonly retain = false
  readonly qos = 0
  readonly dup = false
  readonly length = 2
  readonly topic = null
  readonly payload = null
  readonly messageId: number
  readonly reasonCode: 0 | undefined

  constructor(messageId: number, version: ProtocolVersion) {
    this.messageId = messageId
    this.reasonCode = version === 5 ? 0 : undefined
  }
}

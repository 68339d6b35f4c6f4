/** The little of MQTT that the proxy understands: who asks, and what a server says when it refuses or hangs up. */
import { encodeConnack } from '../../core/mqtt/connack.ts'
import { protocolOf } from '../../core/mqtt/connect.ts'
import { Cursor } from '../../core/mqtt/cursor.ts'
import { reasonStringOf } from '../../core/mqtt/encoding.ts'
import { allowedProperties, property, readProperties } from '../../core/mqtt/properties.ts'
import { type ProtocolVersion, packetType } from '../../core/mqtt/protocol.ts'
import { deviceLimits } from '../limits.ts'

/**
 * Which MQTT a client speaks, from the first bytes that it sends.
 *
 * @returns null where it does not speak MQTT, undefined while more bytes are needed
 */
export function versionSpoken(start: Buffer): ProtocolVersion | null | undefined {
  if (start.length > 0 && start[0] !== packetType.connect << 4) return null
  // The longest fixed header, a protocol name of six letters with its length, the level.
  if (start.length < 2) return undefined
  const protocol = protocolOf(start)
  if (protocol !== null) {
    const isMqtt = protocol.name === 'MQTT' || protocol.name === 'MQIsdp'
    return isMqtt ? (protocol.level === 5 ? 5 : 4) : null
  }
  return start.length < startBytesMax ? undefined : null
}

/** Bytes in which the version of a CONNECT stands: fixed header, the longer protocol name with its length, level. */
const startBytesMax = 5 + 8 + 1

/** The CONNACK that says that no connection to the server could be had (MQTT 3.1.1 §3.2.2.3, MQTT 5 §3.2.2.2). */
export function unavailableConnack(version: ProtocolVersion, sentence: string): Buffer {
  const code = version === 5 ? 0x88 : 3
  const properties = version === 5 ? reasonStringOf(sentence) : []
  return encodeConnack({ sessionPresent: false, code, properties }, version)
}

/** What a server said when it refused a client or ended its session. */
export interface ServerWord {
  readonly packet: 'CONNACK' | 'DISCONNECT'
  /** Return code of MQTT 3.1.1 or reason code of MQTT 5, never success. */
  readonly code: number
  /** The Reason String, or what the code means; one line. */
  readonly sentence: string
}

/** Follows the packets of a server without keeping them, and looks into those that say why it does not want to. */
export class ServerListener {
  readonly #version: ProtocolVersion
  readonly #onWord: (word: ServerWord) => void
  /** Bytes of the packet at hand, from its first one on, as far as they may be needed. */
  #head: Buffer = empty
  /** Bytes of the packet at hand that are still to come; null while its length is not known. */
  #missing: number | null = null
  #isLost = false

  constructor(version: ProtocolVersion, onWord: (word: ServerWord) => void) {
    this.#version = version
    this.#onWord = onWord
  }

  /** Takes note of received bytes; nothing of them is kept but the start of one packet. */
  hear(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length && !this.#isLost) {
      if (this.#missing === null) {
        this.#head = Buffer.concat([this.#head, chunk.subarray(at, ++at)])
        this.#missing = this.#remainingLength()
        if (this.#missing === 0) this.#end()
        continue
      }
      const part = chunk.subarray(at, at + this.#missing)
      if (this.#isTelling() && this.#head.length < deviceLimits.proxyWordBytesMax) {
        this.#head = Buffer.concat([this.#head, part])
      }
      at += part.length
      this.#missing -= part.length
      if (this.#missing === 0) this.#end()
    }
  }

  #isTelling(): boolean {
    const type = (this.#head[0] ?? 0) >> 4
    return type === packetType.connack || type === packetType.disconnect
  }

  #remainingLength(): number | null {
    let length = 0
    for (let i = 1; i < this.#head.length; i++) {
      const byte = this.#head[i] ?? 0
      length += (byte & 0x7f) * 128 ** (i - 1)
      if (byte < 0x80) return length
      if (i === 4) this.#isLost = true
    }
    return null
  }

  #end(): void {
    const packet = this.#head
    if (this.#isTelling() && packet.length <= deviceLimits.proxyWordBytesMax) {
      const word = wordIn(packet, this.#version)
      if (word !== null) this.#onWord(word)
    }
    this.#head = empty
    this.#missing = null
  }
}

const empty = Buffer.alloc(0)

function wordIn(packet: Buffer, version: ProtocolVersion): ServerWord | null {
  const isConnack = packet[0] === packetType.connack << 4
  const cursor = new Cursor(packet)
  if (isConnack) cursor.u8()
  const code = cursor.u8()
  if (cursor.fault !== null || code === 0) return null
  const mayCarry = version === 5 && cursor.at < cursor.end
  const properties = mayCarry ? readProperties(cursor, allowedProperties.connack) : []
  const said = properties.find(({ id }) => id === property.reasonString)?.value.toString('utf8', 2)
  const sentence = said === undefined ? meaning(code, version) : oneLine(said.slice(0, deviceLimits.toldCharsMax))
  return { packet: isConnack ? 'CONNACK' : 'DISCONNECT', code, sentence }
}

/** A line end in it would let a server write lines of the proxy. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim()
}

function meaning(code: number, version: ProtocolVersion): string {
  const known = version === 5 ? meaningsV5[code] : meaningsV3[code]
  return known ?? `code ${code}`
}

/** Return codes of MQTT 3.1.1 (§3.2.2.3). */
const meaningsV3: Readonly<Record<number, string>> = {
  1: 'it does not speak this version of MQTT',
  2: 'it does not take this client id',
  3: 'it is not available',
  4: 'user name or password are not right',
  5: 'not authorised',
}

/** Reason codes of MQTT 5 (§2.4) that a server gives when it ends a connection. */
const meaningsV5: Readonly<Record<number, string>> = {
  128: 'unspecified error',
  129: 'malformed packet',
  130: 'protocol error',
  132: 'it does not speak this version of MQTT',
  133: 'it does not take this client id',
  134: 'user name or password are not right',
  135: 'not authorised',
  136: 'it is not available',
  137: 'it is busy',
  138: 'banned',
  139: 'it shuts down',
  141: 'the client was silent for too long',
  142: 'another client has taken the session over',
  149: 'packet too large',
  151: 'quota exceeded',
  152: 'an operator has ended the session',
  159: 'connections come too fast',
}

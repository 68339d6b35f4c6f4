/** CONNECT (MQTT 3.1.1 §3.1, MQTT 5 §3.1): strict reading, and writing it anew for the broker behind the gate. */
import { isUtf8 } from 'node:buffer'
import { quote } from '../errors.ts'
import { limits } from '../limits.ts'
import { Secret } from '../secret.ts'
import { bodyOffset, Cursor } from './cursor.ts'
import { binary, packetOf, propertyBlock, text, u16 } from './encoding.ts'
import { withoutOwnProperties } from './own-properties.ts'
import { allowedProperties, numberIn, type Property, property, readProperties } from './properties.ts'
import { type ProtocolVersion, packetType, type QoS, reason } from './protocol.ts'
import { readTopicName, type TopicName } from './topic.ts'
import { protocolError, Violation } from './violation.ts'

export interface Will {
  readonly topic: TopicName
  readonly qos: QoS
  readonly retain: boolean
  readonly payload: Buffer
  /** None under MQTT 3.1.1. */
  readonly properties: readonly Property[]
}

export interface Connect {
  /** How its packets are read; those of MQTT 3.1 are read as those of 3.1.1, which differ in few bits. */
  readonly version: ProtocolVersion
  /** Level 3, `MQIsdp`. */
  readonly isV31: boolean
  /** At most `limits.clientIdBytesMax` bytes, free of control characters; empty asks the hub for one. */
  readonly clientId: string
  /** Clean Session of MQTT 3.1.1, Clean Start of MQTT 5. */
  readonly cleanStart: boolean
  /** 0 means no limit on silence. */
  readonly keepAliveSec: number
  readonly will: Will | null
  /** Null when the client sent none. */
  readonly username: string | null
  /** Null when the client sent none. What is not UTF-8 is no password that anybody can have, and is empty here. */
  readonly password: Secret | null
  /** None under MQTT 3.1.1. */
  readonly properties: readonly Property[]
  /** Whether acknowledgements may carry a Reason String (MQTT 5 §3.1.2.11.7); always false under MQTT 3.1.1. */
  readonly wantsReasons: boolean
  /** Longest packet that the client accepts, in bytes. */
  readonly packetBytesMax: number
  /** How long the session is to outlive the connection; always 0 under MQTT 3.1.1, where it has no say at its end. */
  readonly sessionExpirySec: number
}

const CLEAN_START = 0x02
const WILL = 0x04
const WILL_RETAIN = 0x20
const PASSWORD = 0x40
const USERNAME = 0x80
/** The longest packet that MQTT can frame: what a client accepts that names no maximum. */
const FRAME_BYTES_MAX = 268_435_460

/**
 * What a CONNECT says its version is, from its first fields alone, so that a packet which is refused for anything else can be
 * answered in its own version; null when it is not even that far a CONNECT.
 */
export function protocolOf(packet: Buffer): { readonly name: string; readonly level: number } | null {
  const at = bodyOffset(packet)
  if (packet.length < at + 2) return null
  const levelAt = at + 2 + packet.readUInt16BE(at)
  if (levelAt >= packet.length || levelAt - at > 8) return null
  return { name: packet.toString('latin1', at + 2, levelAt), level: packet[levelAt] ?? 0 }
}

/**
 * Reads a whole CONNECT packet. A violation has one of the codes `connect-malformed`, `protocol-version-unsupported`,
 * `client-id-invalid`, `auth-method-unsupported` or `protocol-error`.
 */
export function parseConnect(packet: Buffer): Connect | Violation {
  const cursor = new Cursor(packet)
  const name = cursor.text()
  const level = cursor.u8()
  if (cursor.fault !== null) return asConnectMalformed(cursor.fault)
  const version = versionOf(name, level)
  if (version instanceof Violation) return version
  const isV31 = name === 'MQIsdp'
  const flags = cursor.u8()
  const keepAliveSec = cursor.u16()
  const flagRefusal = cursor.fault === null ? refusalOfFlags(flags, version, isV31) : null
  if (flagRefusal !== null) return flagRefusal
  const properties = version === 5 ? readProperties(cursor, allowedProperties.connect) : []
  const clientId = cursor.text()
  const will = (flags & WILL) === 0 ? null : readWill(cursor, version, flags)
  // MQTT 3.1 lets the strings be left out whose flags are set (§3.1, "User name and password flags").
  const mayLack = () => isV31 && cursor.at === cursor.end
  const username = (flags & USERNAME) === 0 || mayLack() ? null : cursor.text()
  const password = (flags & PASSWORD) === 0 || mayLack() ? null : passwordFrom(cursor.binary())
  const fault = cursor.finish()
  if (fault !== null) return asConnectMalformed(fault)
  const cleanStart = (flags & CLEAN_START) !== 0
  const refusal = refusalOfMethod(properties) ?? refusalOfClientId(clientId, version, cleanStart, isV31)
  if (refusal !== null) return refusal
  return {
    version,
    isV31,
    clientId,
    cleanStart,
    keepAliveSec,
    will,
    username,
    password,
    properties,
    wantsReasons: version === 5 && numberIn(properties, property.requestProblemInformation) !== 0,
    packetBytesMax: numberIn(properties, property.maximumPacketSize) ?? FRAME_BYTES_MAX,
    sessionExpirySec: numberIn(properties, property.sessionExpiry) ?? 0,
  }
}

function passwordFrom(bytes: Buffer): Secret {
  return new Secret(isUtf8(bytes) ? bytes.toString('utf8') : '')
}

function versionOf(name: string, level: number): ProtocolVersion | Violation {
  if (name === 'MQTT' && (level === 4 || level === 5)) return level
  if (name === 'MQIsdp' && level === 3) return 4
  if (name === 'MQTT' || name === 'MQIsdp') {
    return new Violation(
      'protocol-version-unsupported',
      reason.unsupportedVersion,
      `the client speaks level ${level} of ${name}; MQTT 3.1, 3.1.1 and 5 are accepted`,
    )
  }
  return connectMalformed(`the protocol name is ${quote(name)}, not "MQTT"`)
}

/** In MQTT 3.1 the lowest flag is unused, and nothing is said of its value. */
function refusalOfFlags(flags: number, version: ProtocolVersion, isV31: boolean): Violation | null {
  if ((flags & 0x01) !== 0 && !isV31) return connectMalformed('the reserved flag of the CONNECT is set')
  if ((flags & WILL) === 0 && (flags & 0x38) !== 0) return connectMalformed('will QoS or retain are set without a will')
  if ((flags & 0x18) === 0x18) return connectMalformed('the will QoS is 3')
  if (version === 4 && (flags & USERNAME) === 0 && (flags & PASSWORD) !== 0) {
    return connectMalformed('a password without a user name is not allowed in MQTT 3.1.1')
  }
  return null
}

function readWill(cursor: Cursor, version: ProtocolVersion, flags: number): Will | null {
  const properties = version === 5 ? readProperties(cursor, allowedProperties.will) : []
  const topicBytes = cursor.binary()
  const payload = cursor.binary()
  if (cursor.fault !== null) return null
  const topic = readTopicName(topicBytes, 0, topicBytes.length)
  if (topic instanceof Violation) {
    cursor.fail(new Violation(topic.code, topic.reasonV5, `in the will: ${topic.sentence}`))
    return null
  }
  return { topic, qos: ((flags >> 3) & 3) as QoS, retain: (flags & WILL_RETAIN) !== 0, payload, properties }
}

function refusalOfMethod(properties: readonly Property[]): Violation | null {
  const has = (id: number) => properties.some((candidate) => candidate.id === id)
  if (has(property.authenticationMethod)) {
    return new Violation(
      'auth-method-unsupported',
      reason.badAuthenticationMethod,
      'the client asks for enhanced authentication; the certificate is the authentication here',
    )
  }
  if (has(property.authenticationData)) return protocolError('authentication data stands there without a method')
  return null
}

function refusalOfClientId(
  clientId: string,
  version: ProtocolVersion,
  cleanStart: boolean,
  isV31: boolean,
): Violation | null {
  const refuse = (sentence: string) => new Violation('client-id-invalid', reason.clientIdInvalid, sentence)
  if (clientId === '' && isV31) return refuse('MQTT 3.1 knows no empty client id')
  if (clientId === '' && version === 4 && !cleanStart) {
    return refuse('an empty client id needs a clean session in MQTT 3.1.1')
  }
  if (Buffer.byteLength(clientId, 'utf8') > limits.clientIdBytesMax) {
    return refuse(`the client id is longer than ${limits.clientIdBytesMax} bytes`)
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
  if (/[\u0000-\u001f\u007f-\u009f]/.test(clientId)) return refuse('the client id holds a control character')
  return null
}

function connectMalformed(sentence: string): Violation {
  return new Violation('connect-malformed', reason.malformedPacket, sentence)
}

/** Malformed bytes of a CONNECT have a code of their own; protocol errors keep theirs. */
function asConnectMalformed(fault: Violation): Violation {
  if (fault.code !== 'packet-malformed') return fault
  return new Violation('connect-malformed', fault.reasonV5, fault.sentence)
}

/** What the broker's CONNECT has in place of the client's. */
export interface ConnectChanges {
  readonly clientId: string
  readonly keepAliveSec: number
  /** None when it is left out. */
  readonly username?: string | null
  /** None when it is left out; a password alone is for MQTT 5. */
  readonly password?: Buffer | null
  /** User properties that are added to the CONNECT and to the will, under MQTT 5. */
  readonly added?: readonly Property[]
}

/** The same with another session expiry. */
export function withSessionExpiry(connect: Connect, sessionExpirySec: number): Connect {
  const others = connect.properties.filter(({ id }) => id !== property.sessionExpiry)
  const value = Buffer.alloc(4)
  value.writeUInt32BE(sessionExpirySec)
  const properties = sessionExpirySec === 0 ? others : [...others, { id: property.sessionExpiry, value }]
  return { ...connect, properties, sessionExpirySec }
}

/**
 * The CONNECT for the broker behind the gate: the client's with another client id, without the user name and password of the
 * client, without user properties that claim to be the hub's, and without the offer of topic aliases, so that every message
 * from the broker names its topic.
 */
export function encodeConnect(
  connect: Pick<Connect, 'version' | 'cleanStart' | 'will' | 'properties'>,
  changes: ConnectChanges,
): Buffer {
  const { version, will } = connect
  const { username = null, password = null, added = [] } = changes
  let flags = connect.cleanStart ? CLEAN_START : 0
  if (username !== null) flags |= USERNAME
  if (password !== null) flags |= PASSWORD
  if (will !== null) flags |= WILL | (will.qos << 3) | (will.retain ? WILL_RETAIN : 0)
  const parts = [text('MQTT'), Buffer.of(version, flags), u16(changes.keepAliveSec)]
  if (version === 5) {
    const kept = connect.properties.filter(({ id }) => id !== property.topicAliasMaximum)
    parts.push(propertyBlock([...withoutOwnProperties(kept), ...added]))
  }
  parts.push(text(changes.clientId))
  if (will !== null) {
    if (version === 5) parts.push(propertyBlock([...withoutOwnProperties(will.properties), ...added]))
    parts.push(text(will.topic), binary(will.payload))
  }
  if (username !== null) parts.push(text(username))
  if (password !== null) parts.push(binary(password))
  return packetOf(packetType.connect << 4, ...parts)
}

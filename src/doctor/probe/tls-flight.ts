/**
 * What a server says in a handshake of TLS 1.2 before anything is encrypted (RFC 5246 §7.4): its version, the chain as it sends it, and
 * which authorities it asks a client certificate of. Node tells of none of the last two.
 */

export interface ServerFlight {
  /** The first octets that came, at most 64, whatever they are. */
  readonly start: Buffer
  /** Whether a ServerHello or an alert came: then TLS is spoken there. */
  readonly isTls: boolean
  /** Of the ServerHello, as in 0x0303 for TLS 1.2; null where none came. */
  readonly version: number | null
  /** Certificates in DER in the order in which they were sent; null where none came in clear. */
  readonly chain: readonly Uint8Array[] | null
  /** Names in DER of the authorities that it asks for; null where it asks for no certificate, empty where any will do. */
  readonly authorities: readonly Uint8Array[] | null
  /** The number of an alert that came in clear; null where none did. */
  readonly alert: number | null
}

const recordType = { changeCipherSpec: 20, alert: 21, handshake: 22 } as const
const messageType = { serverHello: 2, certificate: 11, certificateRequest: 13 } as const

/** Reads as far as it goes; what is cut short or malformed is not there. */
export function readServerFlight(bytes: Buffer): ServerFlight {
  const messages: Buffer[] = []
  let alert: number | null = null
  let at = 0
  while (at + 5 <= bytes.length) {
    const type = bytes[at]
    const end = at + 5 + bytes.readUInt16BE(at + 3)
    if (bytes[at + 1] !== 3 || end > bytes.length) break
    if (type === recordType.alert && end === at + 7) alert = bytes[at + 6] ?? null
    if (type !== recordType.handshake) break
    messages.push(bytes.subarray(at + 5, end))
    at = end
  }
  const found = readMessages(Buffer.concat(messages))
  return {
    start: bytes.subarray(0, 64),
    isTls: found.version !== null || alert !== null,
    alert,
    ...found,
  }
}

interface Messages {
  version: number | null
  chain: Uint8Array[] | null
  authorities: Uint8Array[] | null
}

function readMessages(bytes: Buffer): Messages {
  const found: Messages = { version: null, chain: null, authorities: null }
  for (let at = 0; at + 4 <= bytes.length; ) {
    const end = at + 4 + bytes.readUIntBE(at + 1, 3)
    if (end > bytes.length) break
    const body = bytes.subarray(at + 4, end)
    const type = bytes[at]
    if (type === messageType.serverHello) found.version = body.length < 2 ? null : body.readUInt16BE(0)
    else if (type === messageType.certificate) found.chain = vectors(body.subarray(3), 3)
    else if (type === messageType.certificateRequest) found.authorities = authoritiesIn(body)
    at = end
  }
  return found
}

/** Behind the kinds of certificate, one octet of length, and the signature algorithms, two octets of length (RFC 5246 §7.4.4). */
function authoritiesIn(body: Buffer): Uint8Array[] {
  const algorithmsAt = 1 + (body[0] ?? 0)
  if (algorithmsAt + 2 > body.length) return []
  const namesAt = algorithmsAt + 2 + body.readUInt16BE(algorithmsAt)
  return namesAt + 2 > body.length ? [] : vectors(body.subarray(namesAt + 2), 2)
}

/** Elements with their length in front. */
function vectors(bytes: Buffer, lengthOctets: 2 | 3): Uint8Array[] {
  const elements: Uint8Array[] = []
  for (let at = 0; at + lengthOctets <= bytes.length; ) {
    const start = at + lengthOctets
    const end = start + bytes.readUIntBE(at, lengthOctets)
    if (end > bytes.length) break
    elements.push(new Uint8Array(bytes.subarray(start, end)))
    at = end
  }
  return elements
}

/**
 * What a client offers in the first message of TLS (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2). It decides nothing here: it says why a handshake
 * came to nothing, where OpenSSL only says that it did.
 */
import { limits } from '../limits.ts'

export interface ClientHello {
  /** The version in the old field; TLS 1.3 says 1.2 there and lists the rest in {@link ClientHello.versions}. */
  readonly legacyVersion: number
  /**
   * The first four bytes of the random, in seconds since the epoch: many older libraries put their clock there (RFC 5246 §7.4.1.2,
   * gmt_unix_time), others chance.
   */
  readonly randomSec: number
  readonly cipherSuites: readonly number[]
  /** The name that it asks for (RFC 6066 §3); null where it asks for none, as clients do that connect to an address. */
  readonly serverName: string | null
  /** Versions that it lists; null where it has no list. */
  readonly versions: readonly number[] | null
  /** Groups that it takes, the curves of TLS 1.2 among them; null where it does not say. */
  readonly groups: readonly number[] | null
  /** How it verifies signatures; null where it does not say. */
  readonly signatureSchemes: readonly number[] | null
  /** Application protocols; null where it offers none. */
  readonly protocols: readonly string[] | null
}

/**
 * Reads a ClientHello from the first bytes of a connection.
 *
 * @param bytes records as they came; what stands behind the ClientHello is not looked at
 * @returns null where it is none, is malformed, or has not come whole
 */
export function readClientHello(bytes: Uint8Array): ClientHello | null {
  try {
    const message = handshakeBytes(bytes)
    return message === null ? null : readHello(message)
  } catch (error) {
    if (error instanceof Short) return null
    throw error
  }
}

/** The ClientHello without its four bytes of type and length, put together from as many records as it has; null where it is none. */
function handshakeBytes(bytes: Uint8Array): Cursor | null {
  const records = new Cursor(bytes.subarray(0, limits.clientHelloBytesMax))
  let message = Buffer.alloc(0)
  for (;;) {
    if (records.number(1) !== handshakeRecord) return null
    records.number(2)
    message = Buffer.concat([message, records.part(2).rest()])
    if (message.length < 4) continue
    if (message[0] !== clientHello) return null
    const length = message.readUIntBE(1, 3)
    if (message.length >= 4 + length) return new Cursor(message.subarray(4, 4 + length))
  }
}

function readHello(hello: Cursor): ClientHello {
  const legacyVersion = hello.number(2)
  const randomSec = hello.number(4)
  hello.skip(28)
  hello.part(1)
  const cipherSuites = numbers(hello.part(2))
  hello.part(1)
  const extensions = new Map<number, Cursor>()
  if (!hello.atEnd) for (const list = hello.part(2); !list.atEnd; ) extensions.set(list.number(2), list.part(2))
  const listed = <T>(type: number, read: (content: Cursor) => T): T | null => {
    const content = extensions.get(type)
    return content === undefined ? null : read(content)
  }
  return {
    legacyVersion,
    randomSec,
    cipherSuites,
    serverName: listed(0, readServerName),
    versions: listed(43, (content) => numbers(content.part(1))),
    groups: listed(10, (content) => numbers(content.part(2))),
    signatureSchemes: listed(13, (content) => numbers(content.part(2))),
    protocols: listed(16, readProtocols),
  }
}

function readServerName(content: Cursor): string | null {
  for (const list = content.part(2); !list.atEnd; ) {
    const type = list.number(1)
    const name = Buffer.from(list.part(2).rest()).toString('latin1')
    if (type === 0) return name
  }
  return null
}

function readProtocols(content: Cursor): readonly string[] {
  const names: string[] = []
  for (const list = content.part(2); !list.atEnd; ) names.push(Buffer.from(list.part(1).rest()).toString('latin1'))
  return names
}

function numbers(list: Cursor): readonly number[] {
  const found: number[] = []
  while (!list.atEnd) found.push(list.number(2))
  return found
}

const handshakeRecord = 0x16
const clientHello = 0x01

/** Fewer bytes than the lengths say. */
class Short extends Error {}

class Cursor {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  #take(length: number): Buffer {
    if (this.#bytes.length - this.#at < length) throw new Short()
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  number(octets: 1 | 2 | 4): number {
    return this.#take(octets).readUIntBE(0, octets)
  }

  skip(octets: number): void {
    this.#take(octets)
  }

  /** What stands behind a length of so many octets. */
  part(lengthOctets: 1 | 2): Cursor {
    return new Cursor(this.#take(this.number(lengthOctets)))
  }

  rest(): Buffer {
    return this.#bytes.subarray(this.#at)
  }
}

/**
 * Reads DER strictly. {@link openDer} walks the whole input once, so that everything downstream stands on bytes that are
 * known to be DER; a {@link DerReader} then takes elements in order.
 *
 * Two liberties, both harmless because nothing is encoded again: a SET OF need not be sorted, and a DEFAULT value may be
 * written out. Makers of real certificate requests do both.
 */
import { HubError } from '../errors.ts'
import type { FailureName } from '../failure/catalogue.ts'
import { limits } from '../limits.ts'
import { tags } from './der-tags.ts'
import { parseTime } from './der-time.ts'

/** What is wrong with some DER, in words; {@link readingAs} turns it into the failure of the thing that was read. */
export class DerError extends Error {
  override readonly name = 'DerError'
}

/** Runs a parser and turns a `DerError` into a `HubError` of that code. */
export function readingAs<T>(code: FailureName, subject: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof DerError)) throw error
    throw new HubError(code, `${subject} cannot be read: ${error.message}`, { cause: error })
  }
}

export interface DerElement {
  /** The identifier octet. */
  readonly tag: number
  readonly content: Uint8Array
  /** The element with its header. */
  readonly bytes: Uint8Array
}

/**
 * Opens bytes from outside that must be well-formed DER from the first octet to the last.
 *
 * @param bytesMax longest input that is looked at
 * @throws DerError
 */
export function openDer(bytes: Uint8Array, bytesMax: number = limits.derBytesMax): DerReader {
  if (bytes.length > bytesMax) throw new DerError(`it is ${bytes.length} bytes long, more than ${bytesMax}`)
  if (bytes.length === 0) throw new DerError('it is empty')
  assertDer(bytes, 0, bytes.length, 1)
  return new DerReader(bytes)
}

/** Takes the elements of a run of DER that {@link openDer} has checked. Every method throws `DerError`. */
export class DerReader {
  readonly #bytes: Uint8Array
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get atEnd(): boolean {
    return this.#offset === this.#bytes.length
  }

  /** The tag of the next element, or null at the end. */
  get nextTag(): number | null {
    return this.#bytes[this.#offset] ?? null
  }

  /** The next element, whatever its tag. */
  next(what: string): DerElement {
    if (this.atEnd) throw new DerError(`${what} is missing`)
    const start = this.#offset
    const header = readHeader(this.#bytes, start, this.#bytes.length)
    this.#offset = header.end
    return {
      tag: header.tag,
      content: this.#bytes.subarray(header.contentStart, header.end),
      bytes: this.#bytes.subarray(start, header.end),
    }
  }

  /** The next element, which must have that tag. */
  take(tag: number, what: string): DerElement {
    if (this.nextTag !== null && this.nextTag !== tag) {
      throw new DerError(`${what} has tag 0x${hexOctet(this.nextTag)} where 0x${hexOctet(tag)} belongs`)
    }
    return this.next(what)
  }

  /** The next element if it has that tag, else null. */
  takeOptional(tag: number, what: string): DerElement | null {
    return this.nextTag === tag ? this.next(what) : null
  }

  /** A reader for what is inside the next element. */
  enter(tag: number, what: string): DerReader {
    return new DerReader(this.take(tag, what).content)
  }

  assertEnd(what: string): void {
    if (!this.atEnd) throw new DerError(`${what} has more in it than belongs there`)
  }
}

/** The one element of that tag that makes up an input, opened: a SEQUENCE in most cases. */
export function openSingle(bytes: Uint8Array, tag: number, what: string, bytesMax?: number): DerReader {
  const outer = openDer(bytes, bytesMax)
  const inner = outer.enter(tag, what)
  if (!outer.atEnd) throw new DerError(`bytes follow ${what}`)
  return inner
}

/** The dotted form of an OBJECT IDENTIFIER. */
export function oidText(element: DerElement): string {
  const arcs: string[] = []
  let arc = 0n
  let small = 0
  let octets = 0
  for (const octet of element.content) {
    octets += 1
    if (octets > 19) throw new DerError('an object identifier has an arc beyond 128 bits')
    if (octets <= 4) small = small * 128 + (octet & 0x7f)
    else arc = (octets === 5 ? BigInt(small) : arc) * 128n + BigInt(octet & 0x7f)
    if (octet >= 0x80) continue
    if (arcs.length > 0) arcs.push((octets <= 4 ? small : arc).toString())
    else if (octets <= 4)
      arcs.push(...(small < 80 ? [small < 40 ? '0' : '1', `${small % 40}`] : ['2', `${small - 80}`]))
    else arcs.push('2', (arc - 80n).toString())
    small = 0
    octets = 0
  }
  return arcs.join('.')
}

/** A non-negative INTEGER or ENUMERATED below 2^31. */
export function smallInteger(element: DerElement, what: string): number {
  if (element.content.length > 4 || (element.content[0] ?? 0) >= 0x80) throw new DerError(`${what} is out of range`)
  return element.content.reduce((value, octet) => value * 256 + octet, 0)
}

/** A BIT STRING of whole octets. */
export function bitStringOctets(element: DerElement, what: string): Uint8Array {
  if (element.content[0] !== 0) throw new DerError(`${what} does not end at an octet`)
  return element.content.subarray(1)
}

/** Whole seconds since the epoch of a UTCTime or GeneralizedTime element (RFC 5280 §4.1.2.5). */
export function timeSec(element: DerElement, what: string): number {
  const epochSec = parseTime(element.tag, Buffer.from(element.content).toString('latin1'))
  if (epochSec === null) throw new DerError(`${what} is not a time in the form of RFC 5280 §4.1.2.5`)
  return epochSec
}

interface Header {
  readonly tag: number
  readonly contentStart: number
  readonly end: number
}

function readHeader(bytes: Uint8Array, offset: number, limit: number): Header {
  const tag = bytes[offset] ?? 0
  const first = bytes[offset + 1]
  if ((tag & 0x1f) === 0x1f) throw new DerError(`the tag at offset ${offset} takes more than one octet`)
  if (first === undefined || offset + 2 > limit) throw new DerError(`it ends inside the header at offset ${offset}`)
  let contentBytes = first
  let contentStart = offset + 2
  if (first >= 0x80) {
    const count = first & 0x7f
    if (count === 0) throw new DerError(`the length at offset ${offset + 1} is indefinite`)
    if (count > 4) throw new DerError(`the length at offset ${offset + 1} is beyond 32 bits`)
    contentBytes = 0
    for (let i = 0; i < count; i += 1) contentBytes = contentBytes * 256 + (bytes[contentStart + i] ?? 0)
    contentStart += count
    if (contentBytes < 0x80 || contentBytes < 256 ** (count - 1)) {
      throw new DerError(`the length at offset ${offset + 1} is not minimal`)
    }
  }
  const end = contentStart + contentBytes
  if (end > limit) throw new DerError(`the element at offset ${offset} is cut short`)
  return { tag, contentStart, end }
}

function assertDer(bytes: Uint8Array, start: number, limit: number, depth: number): void {
  if (depth > limits.derDepthMax) throw new DerError(`it is nested deeper than ${limits.derDepthMax}`)
  let offset = start
  while (offset < limit) {
    const { tag, contentStart, end } = readHeader(bytes, offset, limit)
    if ((tag & 0x20) !== 0) {
      if (tag < 0x40 && tag !== tags.sequence && tag !== tags.set) {
        throw new DerError(`the element at offset ${offset} is a string in parts`)
      }
      assertDer(bytes, contentStart, end, depth + 1)
    } else if (tag < 0x40) {
      const fault = primitiveFault(bytes, tag, contentStart, end)
      if (fault !== null) throw new DerError(`${fault} at offset ${offset}`)
    }
    offset = end
  }
}

/** What is wrong with the content of a primitive universal element, or null. */
function primitiveFault(bytes: Uint8Array, tag: number, start: number, end: number): string | null {
  const first = bytes[start] ?? 0
  const second = bytes[start + 1] ?? 0
  const count = end - start
  switch (tag) {
    case tags.boolean:
      return count === 1 && (first === 0 || first === 0xff) ? null : 'a BOOLEAN is neither 00 nor FF'
    case tags.integer:
    case tags.enumerated:
      if (count === 0) return 'an INTEGER is empty'
      return count > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))
        ? 'an INTEGER is not minimal'
        : null
    case tags.bitString:
      return bitStringFault(first, bytes[end - 1] ?? 0, count)
    case tags.null:
      return count === 0 ? null : 'a NULL is not empty'
    case tags.oid:
      return oidFault(bytes, start, end)
    case 0x00:
    case 0x10:
    case 0x11:
      return `tag 0x${hexOctet(tag)} cannot stand`
    default:
      return null
  }
}

function bitStringFault(unusedBits: number, last: number, count: number): string | null {
  if (count === 0 || unusedBits > 7 || (count === 1 && unusedBits > 0)) return 'a BIT STRING is malformed'
  return (last & ((1 << unusedBits) - 1)) === 0 || count === 1 ? null : 'a BIT STRING has padding that is not zero'
}

function oidFault(bytes: Uint8Array, start: number, end: number): string | null {
  if (end === start || (bytes[end - 1] ?? 0) >= 0x80) return 'an OBJECT IDENTIFIER is cut short'
  for (let i = start; i < end; i += 1) {
    const startsArc = i === start || (bytes[i - 1] ?? 0) < 0x80
    if (startsArc && bytes[i] === 0x80) return 'an OBJECT IDENTIFIER is not minimal'
  }
  return null
}

function hexOctet(octet: number): string {
  return octet.toString(16).padStart(2, '0')
}

/**
 * The PROXY protocol, version 2 (haproxy.org, "The PROXY protocol", 2.2): what a proxy in front of a listener says, in bytes,
 * about who has really connected. Read strictly: whoever may send it decides which address limits, attempts and policy see.
 */
import { limits } from '../limits.ts'

export type ProxyHeader =
  /** More bytes are needed. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed'; readonly sentence: string }
  /** `bytes` is the length of the header; `address` null where the proxy speaks for itself, as in its health checks. */
  | { readonly kind: 'header'; readonly bytes: number; readonly address: string | null }

/** Before it there is no version 2. */
const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')
const fixedBytes = 16

const LOCAL = 0x20
const PROXY = 0x21
const TCP4 = 0x11
const TCP6 = 0x21
const TLV_CRC32C = 0x03

/** True where a stream begins as a header of version 2 does, as far as it has come. */
export function beginsProxyHeader(bytes: Uint8Array): boolean {
  const length = Math.min(bytes.length, signature.length)
  return length > 0 && signature.subarray(0, length).equals(bytes.subarray(0, length))
}

/** Reads the header at the beginning of a stream, from what has come of it. */
export function readProxyHeader(stream: Uint8Array): ProxyHeader {
  const bytes = Buffer.from(stream.buffer, stream.byteOffset, stream.byteLength)
  if (bytes.length > 0 && !beginsProxyHeader(bytes)) {
    const isFirst = bytes.subarray(0, 6).toString('latin1') === 'PROXY '
    return malformed(isFirst ? 'it is of version 1, which is text; set the proxy to version 2' : 'it is none at all')
  }
  if (bytes.length < fixedBytes) return { kind: 'incomplete' }
  const [command, family, length] = [bytes.readUInt8(12), bytes.readUInt8(13), bytes.readUInt16BE(14)]
  const end = fixedBytes + length
  if (end > limits.proxyHeaderBytesMax) return malformed(`it has ${end} bytes`)
  if (command !== LOCAL && command !== PROXY) return malformed(`its version and command are 0x${hex(command)}`)
  if (bytes.length < end) return { kind: 'incomplete' }
  const header = bytes.subarray(0, end)
  if (command === LOCAL) return { kind: 'header', bytes: end, address: null }
  const addressBytes = family === TCP4 ? 12 : family === TCP6 ? 36 : null
  if (addressBytes === null) return malformed(`it is about 0x${hex(family)}, which is not TCP over IPv4 or IPv6`)
  if (length < addressBytes) return malformed('its addresses are cut off')
  const fault = faultOfExtensions(header, fixedBytes + addressBytes)
  if (fault !== null) return malformed(fault)
  return { kind: 'header', bytes: end, address: addressIn(header, family) }
}

function addressIn(header: Buffer, family: number): string {
  if (family === TCP4) return [...header.subarray(fixedBytes, fixedBytes + 4)].join('.')
  const octets = header.subarray(fixedBytes, fixedBytes + 16)
  if (octets.subarray(0, 12).equals(mappedPrefix)) return [...octets.subarray(12)].join('.')
  const groups = Array.from({ length: 8 }, (_, index) => octets.readUInt16BE(index * 2).toString(16))
  return compressed(groups)
}

const mappedPrefix = Buffer.from('00000000000000000000ffff', 'hex')

/** The one spelling of an IPv6 address (RFC 5952 §4): the first of the longest runs of zeros becomes `::`. */
function compressed(groups: readonly string[]): string {
  let [from, count] = [0, 0]
  for (let start = 0; start < groups.length; start++) {
    let end = start
    while (groups[end] === '0') end++
    if (end - start > count) [from, count] = [start, end - start]
  }
  if (count < 2) return groups.join(':')
  return `${groups.slice(0, from).join(':')}::${groups.slice(from + count).join(':')}`
}

/** Extensions must add up to the length of the header, and a checksum among them must be right. */
function faultOfExtensions(header: Buffer, from: number): string | null {
  let at = from
  while (at < header.length) {
    if (at + 3 > header.length) return 'an extension is cut off'
    const [type, length] = [header.readUInt8(at), header.readUInt16BE(at + 1)]
    const value = at + 3
    if (value + length > header.length) return 'an extension is cut off'
    if (type === TLV_CRC32C) {
      if (length !== 4) return 'its checksum has the wrong length'
      const zeroed = Buffer.from(header)
      zeroed.fill(0, value, value + 4)
      if (crc32c(zeroed) !== header.readUInt32BE(value)) return 'its checksum is wrong'
    }
    at = value + length
  }
  return null
}

/** CRC-32C (RFC 3720 appendix B.4), a bit at a time: headers are short and rare. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 0 ? 0 : 0x82f63b78)
  }
  return (crc ^ 0xffffffff) >>> 0
}

function malformed(fault: string): ProxyHeader {
  return { kind: 'malformed', sentence: `the PROXY header is refused: ${fault}` }
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { beginsProxyHeader, readProxyHeader } from '../../../src/core/listener/proxy-header.ts'

const signature = '0d0a0d0a000d0a515549540a'

function bytes(...hex: readonly string[]): Buffer {
  return Buffer.from(hex.join('').replaceAll(' ', ''), 'hex')
}

/** From 192.0.2.7:4660 to 10.0.0.1:8883. */
const overIpv4 = bytes(signature, '21 11 000c', 'c0000207 0a000001 1234 22b3')

function addressOf(header: Buffer): string | null {
  const read = readProxyHeader(header)
  assert.ok(read.kind === 'header', JSON.stringify(read))
  assert.equal(read.bytes, header.length)
  return read.address
}

function faultOf(header: Buffer): string {
  const read = readProxyHeader(header)
  assert.ok(read.kind === 'malformed', JSON.stringify(read))
  return read.sentence
}

const ipv6 = (octets: string) => bytes(signature, '21 21 0024', octets, '0'.repeat(32), '1234 22b3')

test('a header names the client, over IPv4 and IPv6 in their usual spelling', () => {
  assert.equal(addressOf(overIpv4), '192.0.2.7')
  assert.equal(addressOf(ipv6('20010db8000000000000000000000001')), '2001:db8::1')
  assert.equal(addressOf(ipv6('20010db8000000010000000000000000')), '2001:db8:0:1::')
  assert.equal(addressOf(ipv6('00000000000000000000000000000001')), '::1')
  assert.equal(addressOf(ipv6('20010db8000100020003000400050006')), '2001:db8:1:2:3:4:5:6')
  assert.equal(addressOf(ipv6('00000000000000000000ffffc0000207')), '192.0.2.7')
})

test('the command LOCAL says nothing of a client, whatever follows it', () => {
  assert.equal(addressOf(bytes(signature, '20 00 0000')), null)
  assert.equal(addressOf(bytes(signature, '20 11 000c', 'c0000207 0a000001 1234 22b3')), null)
})

test('what follows the header is not read', () => {
  const read = readProxyHeader(Buffer.concat([overIpv4, Buffer.from('1603', 'hex')]))
  assert.deepEqual(read, { kind: 'header', bytes: 28, address: '192.0.2.7' })
})

test('extensions are passed over, and a checksum among them is checked', () => {
  // As HAProxy 2.9 writes it with send-proxy-v2 and crc32c would: the CRC over the header with four zeros in its place.
  const withCrc = (crc: string) => bytes(signature, '21 11 0013', 'c0000207 0a000001 1234 22b3', '03 0004', crc)
  assert.match(faultOf(withCrc('00000000')), /checksum is wrong/)
  assert.equal(addressOf(withCrc(crcOf(withCrc('00000000')))), '192.0.2.7')
  assert.equal(addressOf(bytes(signature, '21 11 0011', 'c0000207 0a000001 1234 22b3', '04 0002 0000')), '192.0.2.7')
})

/** A table-driven CRC-32C, other than the one under test; the check value of RFC 3720 comes first. */
function crcOf(header: Buffer): string {
  const table = Array.from({ length: 256 }, (_, n) => {
    let value = n
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
    return value >>> 0
  })
  const over = (of: Buffer) =>
    (of.reduce((crc, byte) => (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] ?? 0), -1) ^ -1) >>> 0
  assert.equal(over(Buffer.from('123456789')), 0xe3069283)
  return over(header).toString(16).padStart(8, '0')
}

for (const [name, header, fault] of [
  ['version 1', Buffer.from('PROXY TCP4 192.0.2.7 10.0.0.1 4660 8883\r\n'), /version 1/],
  ['no header at all', Buffer.from('160301', 'hex'), /none at all/],
  ['another version', bytes(signature, '31 11 000c', '00'.repeat(12)), /version and command are 0x31/],
  ['another command', bytes(signature, '22 11 000c', '00'.repeat(12)), /0x22/],
  ['UDP', bytes(signature, '21 12 000c', '00'.repeat(12)), /not TCP/],
  ['a unix socket', bytes(signature, '21 31 00d8', '00'.repeat(216)), /not TCP/],
  ['no address family', bytes(signature, '21 00 0000'), /not TCP/],
  ['addresses that are cut off', bytes(signature, '21 11 000b', '00'.repeat(11)), /cut off/],
  ['an extension that is cut off', bytes(signature, '21 11 000e', '00'.repeat(12), '0400'), /extension is cut off/],
  ['an extension beyond the end', bytes(signature, '21 11 000f', '00'.repeat(12), '040001'), /extension is cut off/],
  ['more than it may have', bytes(signature, '21 11 ffff'), /65551 bytes/],
] as const) {
  test(`${name} is refused`, () => assert.match(faultOf(header), fault))
}

test('however a header is cut, it is incomplete until all of it is there', () => {
  for (let length = 0; length < overIpv4.length; length++) {
    assert.equal(readProxyHeader(overIpv4.subarray(0, length)).kind, 'incomplete')
    if (length > 0) assert.ok(beginsProxyHeader(overIpv4.subarray(0, length)))
  }
  assert.equal(beginsProxyHeader(Buffer.from('1603010200', 'hex')), false)
})

test('no bytes make it throw, and none that do not begin as one are taken', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (tail, begins) => {
      const stream = begins ? Buffer.concat([bytes(signature), tail]) : Buffer.from(tail)
      const read = readProxyHeader(stream)
      if (!begins && stream.length > 0 && !beginsProxyHeader(stream)) assert.equal(read.kind, 'malformed')
      if (read.kind === 'header') assert.ok(read.bytes <= stream.length)
    }),
  )
})

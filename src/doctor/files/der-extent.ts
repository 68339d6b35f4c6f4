/** Whether the octets of a key or certificate are whole, by the length that they say themselves. */

/** What is wrong, in words behind the name of the thing; null where the octets are one whole SEQUENCE. */
export function derExtent(bytes: Uint8Array): string | null {
  const [tag, first] = bytes
  if (tag !== 0x30) return 'holds no ASN.1 SEQUENCE, with which every key and certificate begins'
  if (first === undefined) return 'ends after its first octet'
  const lengthOctets = first < 0x80 ? 0 : first & 0x7f
  if (first === 0x80 || lengthOctets > 4) return 'says no length that a key or certificate can have'
  if (bytes.length < 2 + lengthOctets) return `ends after ${bytes.length} octets, within its own length`
  let length = first < 0x80 ? first : 0
  for (let index = 0; index < lengthOctets; index++) length = length * 256 + (bytes[2 + index] ?? 0)
  const whole = 2 + lengthOctets + length
  if (bytes.length < whole) return `ends after ${bytes.length} of ${whole} octets`
  return bytes.length === whole ? null : `goes on for ${bytes.length - whole} octets behind its end`
}

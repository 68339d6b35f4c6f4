import { assert } from '../errors.ts'

/** Random octets that a serial number is made from. */
export const serialNumberBytes = 20

/**
 * A serial number of exactly 20 octets: positive, below 2^159 and not zero (RFC 5280 §4.1.2.2), with 158 bits of the
 * randomness kept. The first octet is 40 to 7f, so the DER content has no sign octet and every number the same length.
 *
 * @param random {@link serialNumberBytes} octets from a cryptographic generator
 */
export function serialNumberFrom(random: Uint8Array): Uint8Array {
  assert(random.length === serialNumberBytes, `a serial number is made from ${serialNumberBytes} octets`)
  const serialNumber = Uint8Array.from(random)
  serialNumber[0] = ((random[0] ?? 0) & 0x3f) | 0x40
  return serialNumber
}

/** The key derivation of PKCS#12 (RFC 7292 appendix B.2), which every PFX needs at least for its MAC. */
import { createHash } from 'node:crypto'

/** What the derived octets are for (appendix B.3). */
export type DerivedFor = 'key' | 'iv' | 'mac'

const purposes: Readonly<Record<DerivedFor, number>> = { key: 1, iv: 2, mac: 3 }

/** Octets that SHA-1 and SHA-256 compress at once: v of the standard. */
const blockBytes = 64

/**
 * @param passphrase printable ASCII
 * @param bytes how many octets are wanted
 */
export function pkcs12Derive(
  hash: 'sha1' | 'sha256',
  purpose: DerivedFor,
  passphrase: string,
  salt: Uint8Array,
  iterations: number,
  bytes: number,
): Uint8Array {
  const diversifier = Buffer.alloc(blockBytes, purposes[purpose])
  const input = Buffer.concat([filled(salt), filled(bmpOctets(passphrase))])
  const output: Uint8Array[] = []
  for (let have = 0; have < bytes; ) {
    let digest = createHash(hash).update(diversifier).update(input).digest()
    for (let round = 1; round < iterations; round += 1) digest = createHash(hash).update(digest).digest()
    output.push(digest)
    have += digest.length
    addToBlocks(input, filled(digest).subarray(0, blockBytes))
  }
  return Buffer.concat(output).subarray(0, bytes)
}

/** Big-endian UTF-16 with a zero behind it (appendix B.1). */
function bmpOctets(text: string): Uint8Array {
  return Buffer.from(`${text}\0`, 'utf16le').swap16()
}

/** Octets repeated until they fill whole blocks. */
function filled(octets: Uint8Array): Buffer {
  return Buffer.alloc(Math.ceil(octets.length / blockBytes) * blockBytes, octets)
}

/** Adds a block and one to each block, modulo 2^512 (step 6 C). */
function addToBlocks(input: Buffer, block: Uint8Array): void {
  for (let start = 0; start < input.length; start += blockBytes) {
    let carry = 1
    for (let i = blockBytes - 1; i >= 0; i -= 1) {
      const sum = (input[start + i] ?? 0) + (block[i] ?? 0) + carry
      input[start + i] = sum & 0xff
      carry = sum >> 8
    }
  }
}

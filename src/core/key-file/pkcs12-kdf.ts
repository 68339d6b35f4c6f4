/** The key derivation of PKCS#12 (RFC 7292 appendix B.2), which every PFX needs at least for its MAC. */
import { createHash } from 'node:crypto'

/** What the derived octets are for (appendix B.3). */
export type DerivedFor = 'key' | 'iv' | 'mac'

const purposes: Readonly<Record<DerivedFor, number>> = { key: 1, iv: 2, mac: 3 }

/** Octets that a hash compresses at once: v of the standard. */
const blocks = { sha1: 64, sha256: 64, sha384: 128, sha512: 128 } as const
export type Pkcs12Hash = keyof typeof blocks

/**
 * @param passphrase characters of the basic plane; what is written should be printable ASCII
 * @param bytes how many octets are wanted
 */
export function pkcs12Derive(
  hash: Pkcs12Hash,
  purpose: DerivedFor,
  passphrase: string,
  salt: Uint8Array,
  iterations: number,
  bytes: number,
): Uint8Array {
  const blockBytes = blocks[hash]
  const diversifier = Buffer.alloc(blockBytes, purposes[purpose])
  const input = Buffer.concat([filled(salt, blockBytes), filled(bmpOctets(passphrase), blockBytes)])
  const output: Uint8Array[] = []
  for (let have = 0; have < bytes; ) {
    let digest = createHash(hash).update(diversifier).update(input).digest()
    for (let round = 1; round < iterations; round += 1) digest = createHash(hash).update(digest).digest()
    output.push(digest)
    have += digest.length
    addToBlocks(input, filled(digest, blockBytes).subarray(0, blockBytes))
  }
  return Buffer.concat(output).subarray(0, bytes)
}

/** Big-endian UTF-16 with a zero behind it (appendix B.1). */
function bmpOctets(text: string): Uint8Array {
  return Buffer.from(`${text}\0`, 'utf16le').swap16()
}

/** Octets repeated until they fill whole blocks. */
function filled(octets: Uint8Array, blockBytes: number): Buffer {
  return Buffer.alloc(Math.ceil(octets.length / blockBytes) * blockBytes, octets)
}

/** Adds a block and one to each block, modulo two to the power of its bits (step 6 C). */
function addToBlocks(input: Buffer, block: Uint8Array): void {
  for (let start = 0; start < input.length; start += block.length) {
    let carry = 1
    for (let i = block.length - 1; i >= 0; i -= 1) {
      const sum = (input[start + i] ?? 0) + (block[i] ?? 0) + carry
      input[start + i] = sum & 0xff
      carry = sum >> 8
    }
  }
}

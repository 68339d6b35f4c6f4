/**
 * RC2 in CBC (RFC 2268), to read with alone: OpenSSL 1 and Windows encrypted the certificates of a PFX with 40 bits of it, and
 * no cipher of Node's does.
 */

/** @param key as long as its effective bits, 5 to 16 octets @returns null where the padding is wrong */
export function rc2CbcDecrypt(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array | null {
  if (ciphertext.length === 0 || ciphertext.length % 8 !== 0) return null
  const words = expand(key)
  const output = Buffer.alloc(ciphertext.length)
  let previous = iv
  for (let at = 0; at < ciphertext.length; at += 8) {
    const block = ciphertext.subarray(at, at + 8)
    decryptBlock(words, block).forEach((octet, i) => {
      output[at + i] = octet ^ (previous[i] ?? 0)
    })
    previous = block
  }
  const padding = output.at(-1) ?? 0
  const isPadded = padding >= 1 && padding <= 8 && output.subarray(-padding).every((octet) => octet === padding)
  return isPadded ? output.subarray(0, output.length - padding) : null
}

/** The digits of pi, permuted (section 2). */
const piTable = Buffer.from(
  [
    'd978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2179a59f587b34f1361456d8d09817d32',
    'bd8f40eb86b77b0bf09521225c6b4e8254d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626',
    '6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed708e8eade8052eef784aa72ac354d6a2a',
    '961ad2715a1549744b9fd05e0418a4ecc2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731',
    '2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a90d38341bab33ffb0bb480c5fb9b1cd2e',
    'c5f3db47e5a59c770aa62068fe7fc1ad',
  ].join(''),
  'hex',
)

/** The 64 words of the key (section 2), with as many effective bits as the key has. */
function expand(key: Uint8Array): Uint16Array {
  const bytes = Buffer.alloc(128)
  bytes.set(key)
  const pi = (index: number): number => piTable[index & 0xff] ?? 0
  for (let i = key.length; i < 128; i += 1) bytes[i] = pi((bytes[i - 1] ?? 0) + (bytes[i - key.length] ?? 0))
  const start = 128 - key.length
  bytes[start] = pi(bytes[start] ?? 0)
  for (let i = start - 1; i >= 0; i -= 1) bytes[i] = pi((bytes[i + 1] ?? 0) ^ (bytes[i + key.length] ?? 0))
  return Uint16Array.from({ length: 64 }, (_, i) => bytes.readUInt16LE(2 * i))
}

const turns = [1, 2, 3, 5] as const

/** Sixteen mixing rounds with two mashing rounds between, backwards (section 4). */
function decryptBlock(words: Uint16Array, block: Uint8Array): Uint8Array {
  const input = Buffer.from(block)
  const r = Uint16Array.from({ length: 4 }, (_, i) => input.readUInt16LE(2 * i))
  const at = (i: number): number => r[i & 3] ?? 0
  for (let round = 15; round >= 0; round -= 1) {
    for (let i = 3; i >= 0; i -= 1) {
      const turn = turns[i] ?? 0
      const turned = (at(i) >>> turn) | (at(i) << (16 - turn))
      r[i] = turned - (words[4 * round + i] ?? 0) - (at(i + 3) & at(i + 2)) - (~at(i + 3) & at(i + 1))
    }
    if (round !== 11 && round !== 5) continue
    for (let i = 3; i >= 0; i -= 1) r[i] = at(i) - (words[at(i + 3) & 63] ?? 0)
  }
  const output = Buffer.alloc(8)
  r.forEach((word, i) => {
    output.writeUInt16LE(word, 2 * i)
  })
  return output
}

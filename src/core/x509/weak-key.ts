/**
 * Public keys whose private half is known or can be computed. A certificate for one of them speaks for whoever cares to
 * compute it, so none is made.
 */

/**
 * Why a key must not be trusted although its type and size will do, as words behind "a key"; null where nothing is known
 * against it.
 *
 * @param hash lower-case hexadecimal SHA-256 of its SubjectPublicKeyInfo in DER
 * @param modulus of an RSA key; null for another one
 */
export function weaknessOf(hash: string, modulus: bigint | null): string | null {
  const published = publishedKeys.get(hash)
  if (published !== undefined) return `whose private half is published (${published})`
  if (modulus === null) return null
  const factor = smallPrimes.find((prime) => modulus % prime === 0n)
  if (factor !== undefined) return `whose modulus is divisible by ${factor}`
  if (hasPrintOfRoca(modulus)) return 'with the fingerprint of ROCA (CVE-2017-15361)'
  if (hasClosePrimes(modulus)) return 'whose primes are so close that Fermat finds them'
  return null
}

/** By the SHA-256 of their SubjectPublicKeyInfo: the keys of RFC 9500 that are of a type and size that is accepted. */
const publishedKeys: ReadonlyMap<string, string> = new Map([
  ['8fb6bad671cfe698393c453357da61b56d757ab8c0f3fb9c87f2849e63131878', 'RFC 9500, testRSA2048'],
  ['96465ea5dc9bb2da7b351d808a7196e5761f2412a5040131c68d719aaba28fb9', 'RFC 9500, testRSA4096'],
  ['b2b04340cfaee616ec9c2c62d261b208e54bb197498df52e8cadede23ac0ba5e', 'RFC 9500, testECCP256'],
  ['c4c10105a0be0ed4dd3354428dc38a9bfee64da141ce16e75c94eda272f9dd3a', 'RFC 9500, testECCP384'],
  ['acb1b8327fef995e2458fdf5e3c33b2dc0749feabd6a894cb9bda9d70ac06c24', 'RFC 9500, testECCP521'],
])

/** Primes below 752: CA/Browser Forum BR 6.1.6 asks that a modulus has no factor there. */
const smallPrimes: readonly bigint[] = primesBelow(752).map(BigInt)

/**
 * Keys of a faulty library are made from primes of the form k·M + (65537^a mod M), where M is a product of the first primes.
 * So modulo each of these primes the modulus is a power of 65537. Another modulus is that by chance once in 2^27.
 */
function hasPrintOfRoca(modulus: bigint): boolean {
  return rocaResidues.every(({ prime, powers }) => powers.has(modulus % prime))
}

const rocaResidues: readonly { readonly prime: bigint; readonly powers: ReadonlySet<bigint> }[] = primesBelow(168)
  .slice(1)
  .map((prime) => ({ prime: BigInt(prime), powers: powersOf(65_537 % prime, prime) }))

function powersOf(base: number, prime: number): ReadonlySet<bigint> {
  const powers = new Set<bigint>()
  for (let power = 1; !powers.has(BigInt(power)); power = (power * base) % prime) powers.add(BigInt(power))
  return powers
}

/** As many as CA/Browser Forum BR 6.1.1.3 asks for. */
const fermatRounds = 100

/** Looks for a² − n = b²: then n = (a + b)(a − b). It is found soon where the two primes are close. */
function hasClosePrimes(modulus: bigint): boolean {
  let a = rootOf(modulus)
  if (a * a < modulus) a += 1n
  let rest = a * a - modulus
  for (let round = 0; round < fermatRounds; round++) {
    if (isSquare(rest)) return true
    rest += 2n * a + 1n
    a += 1n
  }
  return false
}

function isSquare(value: bigint): boolean {
  // Five of six numbers are told by their last six bits.
  if (!squareEnds.has(value & 63n)) return false
  const root = rootOf(value)
  return root * root === value
}

const squareEnds: ReadonlySet<bigint> = new Set(Array.from({ length: 64 }, (_, n) => BigInt((n * n) % 64)))

/** The integer square root, by Newton's method from above. */
function rootOf(value: bigint): bigint {
  if (value < 2n) return value
  let root = 1n << BigInt((value.toString(2).length + 1) >> 1)
  for (;;) {
    const next = (root + value / root) >> 1n
    if (next >= root) return root
    root = next
  }
}

function primesBelow(limit: number): readonly number[] {
  const primes: number[] = []
  for (let n = 2; n < limit; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n)
  return primes
}

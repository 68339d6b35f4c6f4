/** Keys that an authority may have. */
import { readPublicKey } from './public-key.ts'

/** Each with its size, unlike the `KeyType` of a profile, because it says what is to be made. */
export const authorityKeyTypes = ['P-256', 'P-384', 'RSA-2048', 'RSA-3072', 'RSA-4096', 'Ed25519'] as const
export type AuthorityKeyType = (typeof authorityKeyTypes)[number]

/**
 * The type of a public key, or null where it is none that an authority may have.
 *
 * @param spki SubjectPublicKeyInfo in DER
 * @throws HubError `certificate-unreadable`
 */
export function authorityKeyTypeOf(spki: Uint8Array): AuthorityKeyType | null {
  const key = readPublicKey(spki, 'certificate-unreadable')
  const name = nameOf(key)
  return authorityKeyTypes.find((type) => type === name) ?? null
}

function nameOf(key: ReturnType<typeof readPublicKey>): string {
  switch (key.kind) {
    case 'ec':
      return key.curve
    case 'rsa':
      return `RSA-${key.modulusBits}`
    case 'rsa-pss':
      return `RSA-PSS-${key.modulusBits}`
    case 'ed25519':
      return 'Ed25519'
    case 'other':
      return key.oid
  }
}

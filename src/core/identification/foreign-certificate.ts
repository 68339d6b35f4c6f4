/** What a certificate of somebody else must be, whoever vouches for it. */
import type { FailureName } from '../failure/catalogue.ts'
import type { CertificateFields } from '../x509/certificate.ts'
import { oids } from '../x509/oids.ts'
import { importPublicKey, publicKeyHash, publicKeyText, readPublicKey } from '../x509/public-key.ts'
import { weaknessOf } from '../x509/weak-key.ts'

/** Why a certificate is not one that a client may show. */
export interface LeafFault {
  readonly code: FailureName
  /** Words behind "the certificate". */
  readonly words: string
}

/** What is wrong with a certificate that an authority of somebody else has issued, apart from dates and signature; null where nothing is. */
export function leafFault(fields: CertificateFields): LeafFault | null {
  if (fields.basicConstraints?.ca === true) {
    return { code: 'certificate-is-authority', words: 'is one of an authority (basic constraints)' }
  }
  const weakness = keyFault(fields.publicKey)
  return weakness === null ? usageFault(fields) : { code: 'certificate-key-weak', words: weakness }
}

/** Why a certificate cannot be pinned, as words behind "the certificate"; null where it can. */
export function pinFault(fields: CertificateFields): string | null {
  return keyFault(fields.publicKey) ?? usageFault(fields)?.words ?? null
}

/** Keys that anybody can compute, or that nobody can have. */
export function keyFault(spki: Uint8Array): string | null {
  const key = readPublicKey(spki, 'certificate-unreadable')
  if (importPublicKey(spki) === null) return `has ${publicKeyText(key)} that is not a valid key`
  const weakness = weaknessOf(publicKeyHash(spki), key.kind === 'rsa' || key.kind === 'rsa-pss' ? key.modulus : null)
  return shortKeyFault(spki) ?? (weakness === null ? null : `has ${publicKeyText(key)} ${weakness}`)
}

/** RSA keys that are too short: what of a weak key is told without computing. */
export function shortKeyFault(spki: Uint8Array): string | null {
  const key = readPublicKey(spki, 'certificate-unreadable')
  if ((key.kind !== 'rsa' && key.kind !== 'rsa-pss') || key.modulusBits >= 2_048) return null
  return `has an RSA key of ${key.modulusBits} bits, and 2048 are the least`
}

/**
 * Whether it may be shown by a client: what it says about its use counts, and where it says nothing it may (RFC 5280 §4.2.1.12).
 * A certificate that a device signed itself may say that it is an authority, as OpenSSL makes them.
 */
export function usageFault({ keyUsage, extendedKeyUsage, extensions }: CertificateFields): LeafFault | null {
  const purposes = extendedKeyUsage
  if (purposes !== null && !purposes.includes(oids.clientAuth) && !purposes.includes(oids.anyExtendedKeyUsage)) {
    return { code: 'certificate-wrong-usage', words: 'is not for clients (extended key usage)' }
  }
  if (keyUsage !== null && !keyUsage.includes('digitalSignature') && !keyUsage.includes('keyAgreement')) {
    return { code: 'certificate-cannot-sign', words: 'may not sign a handshake (key usage)' }
  }
  const unknown = [...extensions].find(([oid, { critical }]) => critical && !understood.has(oid))
  if (unknown === undefined) return null
  const words = `has the critical extension ${unknown[0]}, which this hub does not heed`
  return { code: 'certificate-extension-unknown', words }
}

const understood: ReadonlySet<string> = new Set([
  oids.basicConstraints,
  oids.keyUsage,
  oids.extendedKeyUsage,
  oids.subjectAltName,
])

/** What is wrong with the dates of a certificate that the hub has not issued, or null. */
export function dateRefusal(
  { notBeforeSec, notAfterSec }: Pick<CertificateFields, 'notBeforeSec' | 'notAfterSec'>,
  nowSec: number,
): 'foreign-not-yet-valid' | 'certificate-expired' | null {
  if (nowSec < notBeforeSec) return 'foreign-not-yet-valid'
  return nowSec > notAfterSec ? 'certificate-expired' : null
}

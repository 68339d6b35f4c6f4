/** What a certificate of somebody else must be, whoever vouches for it. */
import type { FailureName } from '../failure/catalogue.ts'
import type { CertificateFields } from '../x509/certificate.ts'
import { oids } from '../x509/oids.ts'
import { importPublicKey, publicKeyHash, publicKeyText, readPublicKey } from '../x509/public-key.ts'
import { weaknessOf } from '../x509/weak-key.ts'

/** Why a certificate cannot be pinned, as words behind "the certificate"; null where it can. */
export function pinFault(fields: CertificateFields): string | null {
  return keyFault(fields.publicKey) ?? usageFault(fields)
}

/** Keys that anybody can compute, or that nobody can have. */
export function keyFault(spki: Uint8Array): string | null {
  const key = readPublicKey(spki, 'certificate-unreadable')
  if (importPublicKey(spki) === null) return `has ${publicKeyText(key)} that is not a valid key`
  const isRsa = key.kind === 'rsa' || key.kind === 'rsa-pss'
  if (isRsa && key.modulusBits < 2_048) return `has an RSA key of ${key.modulusBits} bits, and 2048 are the least`
  const weakness = weaknessOf(publicKeyHash(spki), isRsa ? key.modulus : null)
  return weakness === null ? null : `has ${publicKeyText(key)} ${weakness}`
}

/**
 * Whether it may be shown by a client: what it says about its use counts, and where it says nothing it may (RFC 5280 §4.2.1.12).
 * A certificate that a device signed itself may say that it is an authority, as OpenSSL makes them.
 */
export function usageFault({ keyUsage, extendedKeyUsage, extensions }: CertificateFields): string | null {
  const purposes = extendedKeyUsage
  if (purposes !== null && !purposes.includes(oids.clientAuth) && !purposes.includes(oids.anyExtendedKeyUsage)) {
    return 'is not for clients (extended key usage)'
  }
  if (keyUsage !== null && !keyUsage.includes('digitalSignature') && !keyUsage.includes('keyAgreement')) {
    return 'may not sign a handshake (key usage)'
  }
  const unknown = [...extensions].find(([oid, { critical }]) => critical && !understood.has(oid))
  return unknown === undefined ? null : `has the critical extension ${unknown[0]}, which this hub does not heed`
}

const understood: ReadonlySet<string> = new Set([
  oids.basicConstraints,
  oids.keyUsage,
  oids.extendedKeyUsage,
  oids.subjectAltName,
])

/** What is wrong with its dates, or null. */
export function dateRefusal(
  { notBeforeSec, notAfterSec }: Pick<CertificateFields, 'notBeforeSec' | 'notAfterSec'>,
  nowSec: number,
): FailureName | null {
  if (nowSec < notBeforeSec) return 'certificate-not-yet-valid'
  return nowSec > notAfterSec ? 'certificate-expired' : null
}

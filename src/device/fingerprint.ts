import type { X509Certificate } from 'node:crypto'

/** The lower-case hexadecimal SHA-256 of a whole certificate in DER. */
export function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase()
}

/** What an attempt remembers of a certificate that is not ours. */
import { limits } from '../core/limits.ts'
import { type CertificateFields, certificateFingerprint } from '../core/x509/certificate.ts'
import { nameText } from '../core/x509/name.ts'
import type { CertificateSummary } from './ports/attempts.ts'

/** Names and numbers may be as long as a certificate: they are cut. */
export function certificateSummary(certificate: Uint8Array, fields: CertificateFields): CertificateSummary {
  return {
    fingerprint: certificateFingerprint(certificate),
    serialNumber: cut(fields.serialNumber),
    subject: cut(nameText(fields.subject)),
    issuer: cut(nameText(fields.issuer)),
    notBeforeSec: fields.notBeforeSec,
    notAfterSec: fields.notAfterSec,
  }
}

function cut(text: string): string {
  return text.length <= limits.attemptNameCharsMax ? text : `${text.slice(0, limits.attemptNameCharsMax)}…`
}

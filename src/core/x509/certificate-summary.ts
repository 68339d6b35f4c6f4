/** What is remembered and told of a certificate, whoever issued it. */
import { limits } from '../limits.ts'
import { type CertificateFields, certificateFingerprint } from './certificate.ts'
import { nameText } from './name.ts'

/** It decides nothing: it is another at each renewal. Texts come from DER, escaped; they may be a stranger's. */
export interface CertificateSummary {
  /** SHA-256 of the whole certificate, lower-case hexadecimal. */
  readonly fingerprint: string
  /** Lower-case hexadecimal of the DER content octets. */
  readonly serialNumber: string
  /** Distinguished names as RFC 4514 writes them. */
  readonly subject: string
  readonly issuer: string
  /** Whole seconds since the epoch; both ends are inclusive. */
  readonly notBeforeSec: number
  readonly notAfterSec: number
}

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

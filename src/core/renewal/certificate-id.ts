/** How a certificate is named in questions about its renewal (RFC 9773 §4.1). */
import type { SerialNumber } from '../identity/credential.ts'
import { limits } from '../limits.ts'

export interface RenewalCertificateId {
  /** The keyIdentifier of its authority key identifier, lower-case hexadecimal. */
  readonly authorityKeyIdentifier: string
  readonly serialNumber: SerialNumber
}

/**
 * `base64url(AKI)` "." `base64url(serial number)`, without padding; the serial number with the leading zero octet that its DER
 * encoding has.
 */
export function formatRenewalCertificateId({ authorityKeyIdentifier, serialNumber }: RenewalCertificateId): string {
  return `${toBase64Url(authorityKeyIdentifier)}.${toBase64Url(serialNumber)}`
}

/** What a name says, or null for a text that names nothing: another alphabet, padding, empty parts, unused bits that are set. */
export function parseRenewalCertificateId(text: string): RenewalCertificateId | null {
  if (text.length > limits.renewalCertificateIdCharsMax) return null
  const [identifier, serial, ...more] = text.split('.')
  if (identifier === undefined || serial === undefined || more.length > 0) return null
  const authorityKeyIdentifier = fromBase64Url(identifier)
  const serialNumber = fromBase64Url(serial)
  return authorityKeyIdentifier === null || serialNumber === null ? null : { authorityKeyIdentifier, serialNumber }
}

function toBase64Url(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64url')
}

/** Only what `toBase64Url` writes, so that a certificate has one name. */
function fromBase64Url(text: string): string | null {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return null
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes.toString('hex') : null
}

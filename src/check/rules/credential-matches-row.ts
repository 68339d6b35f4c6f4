import { certificateFingerprint, readCertificate } from '../../core/x509/certificate.ts'
import { publicKeyHash } from '../../core/x509/public-key.ts'
import type { CredentialRow, IdentityRule, Problem } from '../rule.ts'

export const credentialMatchesRow: IdentityRule = {
  name: 'credential-matches-row',
  reason: 'admission finds the row by the SHA-256 of the whole certificate and believes its dates',
  *look({ credentials }): Iterable<Problem> {
    for (const row of credentials) {
      const fault = faultOf(row)
      if (fault !== null) yield { subject: row.serial_number, sentence: fault }
    }
  },
}

function faultOf(row: CredentialRow): string | null {
  if (certificateFingerprint(row.certificate) !== row.fingerprint) return 'has another fingerprint than its certificate'
  try {
    const { serialNumber, notBeforeSec, notAfterSec, publicKey } = readCertificate(row.certificate)
    if (serialNumber !== row.serial_number) return `has the serial number ${serialNumber} in its certificate`
    if (notBeforeSec !== row.not_before_sec || notAfterSec !== row.not_after_sec)
      return 'has other dates in its certificate'
    return publicKeyHash(publicKey) === row.public_key_hash ? null : 'has another key in its certificate'
  } catch {
    return 'has a certificate that cannot be read'
  }
}

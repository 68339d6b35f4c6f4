/**
 * The authorities whose clients a server takes. Each is trusted by being listed, whatever stands above it, so a client is signed by one
 * of them directly and no path is built: a resumed session, in which the certificates between are gone, is judged like any other.
 */
import { HubError } from '../core/errors.ts'
import { anchorFault, isAnchorId } from '../core/identification/anchor.ts'
import { limits } from '../core/limits.ts'
import { type CertificateFields, certificateFingerprint, readCertificate } from '../core/x509/certificate.ts'
import { nameText } from '../core/x509/name.ts'
import { oidName, oids } from '../core/x509/oids.ts'
import { decodePem, encodePem } from '../core/x509/pem.ts'

export interface Authority {
  /** The name by which rules speak of it; several may have one. */
  readonly id: string
  readonly der: Uint8Array
  readonly fields: CertificateFields
  /** SHA-256 of its certificate, lower-case hexadecimal. */
  readonly fingerprint: string
}

/**
 * Reads authorities in PEM.
 *
 * @param given PEM by id; each holds one or more certificates of authorities that sign clients
 * @throws HubError `verify-authority-unfit`, `certificate-unreadable`, `verify-settings-invalid` for an id that is none or too many
 */
export function readAuthorities(given: Readonly<Record<string, string>>): readonly Authority[] {
  const authorities = Object.entries(given).flatMap(([id, pem]) => {
    if (!isAnchorId(id)) {
      throw new HubError('verify-settings-invalid', `${JSON.stringify(id.slice(0, 64))} is no id of an authority`, {
        hint: 'use lower-case letters, digits and "-", the first a letter, 32 at the most',
      })
    }
    const blocks = decodePem(pem).filter(({ label }) => label === 'CERTIFICATE')
    if (blocks.length === 0) throw new HubError('verify-authority-unfit', `${id} holds no certificate in PEM`)
    return blocks.map(({ der }) => readAuthority(id, der))
  })
  if (authorities.length === 0 || authorities.length > limits.verifyAuthoritiesMax) {
    throw new HubError(
      'verify-settings-invalid',
      `there are ${authorities.length} authorities, and 1 to ${limits.verifyAuthoritiesMax} are taken`,
    )
  }
  return authorities
}

/** @throws HubError `verify-authority-unfit`, `certificate-unreadable` */
export function readAuthority(id: string, der: Uint8Array): Authority {
  const fields = readCertificate(der)
  const fault = anchorFault(fields) ?? unheeded(fields)
  if (fault !== null) {
    throw new HubError(
      'verify-authority-unfit',
      `the certificate of ${nameText(fields.subject)}, given as ${id}, ${fault}`,
    )
  }
  return { id, der, fields, fingerprint: certificateFingerprint(der) }
}

/** A bound on what it may sign that is not heeded here would be lifted by listing it (RFC 5280 §4.2). */
function unheeded({ extensions, extendedKeyUsage }: CertificateFields): string | null {
  const unknown = [...extensions].find(([oid, { critical }]) => critical && !heeded.has(oid))
  if (unknown !== undefined) return `has the critical extension ${oidName(unknown[0])}, which is not heeded here`
  const isForClients = extendedKeyUsage === null || clientPurposes.some((oid) => extendedKeyUsage.includes(oid))
  return isForClients ? null : 'may not sign clients (extended key usage)'
}

const heeded: ReadonlySet<string> = new Set([
  ...[oids.basicConstraints, oids.keyUsage, oids.extendedKeyUsage, oids.subjectAltName],
])
const clientPurposes = [oids.clientAuth, oids.anyExtendedKeyUsage]

/** As `ca` of a TLS server takes it: the names that are sent to clients, by which some choose their certificate. */
export function authoritiesPem(authorities: readonly Authority[]): string {
  return authorities.map(({ der }) => encodePem('CERTIFICATE', der)).join('')
}

/** Certificates as they are read: ours and those of strangers (RFC 5280 §4.1). */
import { hash } from 'node:crypto'
import { readSignatureAlgorithm, type SignatureAlgorithm } from './algorithms.ts'
import {
  bitStringOctets,
  type DerElement,
  DerError,
  DerReader,
  openSingle,
  readingAs,
  smallInteger,
  timeSec,
} from './der-reader.ts'
import { contextConstructed, contextPrimitive, tags } from './der-tags.ts'
import {
  type BasicConstraints,
  type Extensions,
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readCrlDistributionPoints,
  readExtendedKeyUsage,
  readExtensions,
  readKeyUsage,
  readSubjectAltName,
  readSubjectKeyIdentifier,
} from './extension-reader.ts'
import type { Extension, KeyUsage } from './extensions.ts'
import { type Name, readName } from './name.ts'
import { oids } from './oids.ts'

/** What stands in a certificate. Nothing in it is vouched for until the signature above it is. */
export interface CertificateFields {
  readonly version: 1 | 2 | 3
  /** Lower-case hexadecimal of the DER content octets, two characters an octet; strangers' may have a sign or be long. */
  readonly serialNumber: string
  readonly issuer: Name
  readonly subject: Name
  /** Whole seconds since the epoch; both ends are inclusive. */
  readonly notBeforeSec: number
  readonly notAfterSec: number
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Uint8Array
  readonly extensions: Extensions
  readonly subjectKeyIdentifier: Uint8Array | null
  /** Null also where the extension names the issuer in another way. */
  readonly authorityKeyIdentifier: Uint8Array | null
  readonly basicConstraints: BasicConstraints | null
  readonly keyUsage: readonly KeyUsage[] | null
  /** Dotted object identifiers. */
  readonly extendedKeyUsage: readonly string[] | null
  readonly uris: readonly string[]
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
  readonly emails: readonly string[]
  /** URIs of all CRL distribution points. */
  readonly crlDistributionPoints: readonly string[]
  readonly signatureAlgorithm: SignatureAlgorithm
  /** The TBSCertificate in DER. */
  readonly toBeSigned: Uint8Array
  readonly signature: Uint8Array
}

/**
 * Reads a certificate in DER, of any version.
 *
 * @throws HubError `certificate-unreadable`, with what is wrong
 */
export function readCertificate(der: Uint8Array): CertificateFields {
  return readingAs('certificate-unreadable', 'the certificate', () => {
    const outer = openSingle(der, tags.sequence, 'the certificate')
    const toBeSigned = outer.take(tags.sequence, 'the TBSCertificate')
    const algorithm = outer.take(tags.sequence, 'the signature algorithm')
    const signature = bitStringOctets(outer.take(tags.bitString, 'the signature'), 'the signature')
    outer.assertEnd('the certificate')
    return {
      ...readToBeSigned(new DerReader(toBeSigned.content), algorithm),
      signatureAlgorithm: readSignatureAlgorithm(algorithm),
      toBeSigned: toBeSigned.bytes,
      signature,
    }
  })
}

/** SHA-256 of a certificate in DER, 64 lower-case hexadecimal characters. */
export function certificateFingerprint(der: Uint8Array): string {
  return hash('sha256', der, 'hex')
}

function readToBeSigned(
  fields: DerReader,
  outerAlgorithm: DerElement,
): Omit<CertificateFields, 'signatureAlgorithm' | 'toBeSigned' | 'signature'> {
  const version = readVersion(fields)
  const { content: serialOctets } = fields.take(tags.integer, 'the serial number')
  const algorithm = fields.take(tags.sequence, 'the signature algorithm')
  if (Buffer.compare(algorithm.bytes, outerAlgorithm.bytes) !== 0) {
    throw new DerError('it names two different signature algorithms')
  }
  const issuer = readName(fields.take(tags.sequence, 'the issuer'), 'the issuer')
  const validity = fields.enter(tags.sequence, 'the validity')
  const notBeforeSec = timeSec(validity.next('notBefore'), 'notBefore')
  const notAfterSec = timeSec(validity.next('notAfter'), 'notAfter')
  validity.assertEnd('the validity')
  const subject = readName(fields.take(tags.sequence, 'the subject'), 'the subject')
  const { bytes: publicKey } = fields.take(tags.sequence, 'the public key')
  const extensions = readTail(fields, version)
  return {
    version,
    serialNumber: Buffer.from(serialOctets).toString('hex'),
    issuer,
    subject,
    notBeforeSec,
    notAfterSec,
    publicKey,
    extensions,
    ...readKnownExtensions(extensions),
  }
}

function readVersion(fields: DerReader): 1 | 2 | 3 {
  if (fields.nextTag !== contextConstructed(0)) return 1
  const wrapper = fields.enter(contextConstructed(0), 'the version')
  const version = smallInteger(wrapper.take(tags.integer, 'the version'), 'the version')
  wrapper.assertEnd('the version')
  if (version === 0) return 1
  if (version === 1) return 2
  if (version === 2) return 3
  throw new DerError(`version ${version + 1} is unknown`)
}

/** What stands behind the public key: the unique identifiers of version 2, passed over, and extensions. */
function readTail(fields: DerReader, version: 1 | 2 | 3): Extensions {
  if (version >= 2) {
    fields.takeOptional(contextPrimitive(1), 'the issuerUniqueID')
    fields.takeOptional(contextPrimitive(2), 'the subjectUniqueID')
  }
  const wrapper = version === 3 ? fields.takeOptional(contextConstructed(3), 'the extensions') : null
  fields.assertEnd('the TBSCertificate')
  if (wrapper === null) return new Map()
  const inner = new DerReader(wrapper.content)
  const extensions = readExtensions(inner.enter(tags.sequence, 'the extensions'))
  inner.assertEnd('the extensions')
  return extensions
}

type KnownExtensions = Pick<
  CertificateFields,
  | 'subjectKeyIdentifier'
  | 'authorityKeyIdentifier'
  | 'basicConstraints'
  | 'keyUsage'
  | 'extendedKeyUsage'
  | 'uris'
  | 'dnsNames'
  | 'ipAddresses'
  | 'emails'
  | 'crlDistributionPoints'
>

function readKnownExtensions(extensions: Extensions): KnownExtensions {
  const read = <T>(oid: string, reader: (extension: Extension) => T): T | null => {
    const extension = extensions.get(oid)
    return extension === undefined ? null : reader(extension)
  }
  const names = read(oids.subjectAltName, readSubjectAltName)
  return {
    subjectKeyIdentifier: read(oids.subjectKeyIdentifier, readSubjectKeyIdentifier),
    authorityKeyIdentifier: read(oids.authorityKeyIdentifier, readAuthorityKeyIdentifier),
    basicConstraints: read(oids.basicConstraints, readBasicConstraints),
    keyUsage: read(oids.keyUsage, readKeyUsage),
    extendedKeyUsage: read(oids.extendedKeyUsage, readExtendedKeyUsage),
    uris: names?.uris ?? [],
    dnsNames: names?.dnsNames ?? [],
    ipAddresses: names?.ipAddresses ?? [],
    emails: names?.emails ?? [],
    crlDistributionPoints: read(oids.crlDistributionPoints, readCrlDistributionPoints) ?? [],
  }
}

/** Certificates as they are made: version 3 (RFC 5280 §4.1). */
import { assert } from '../errors.ts'
import { type SigningAlgorithm, signedStructure } from './algorithms.ts'
import { contextConstructed } from './der-tags.ts'
import { derElement, derInteger, derSequence, derTime, derUnsigned } from './der-writer.ts'
import { authorityKeyIdentifier, type Extension, encodeExtensions } from './extensions.ts'
import { emptyName, isSameName } from './name.ts'
import { oids } from './oids.ts'

/** Everything that a certificate will say. The same template always gives the same bytes. */
export interface CertificateTemplate {
  /** 1 to 20 octets, positive and not zero. */
  readonly serialNumber: Uint8Array
  /** What the issuer's key signs with; it follows from that key. */
  readonly signatureAlgorithm: SigningAlgorithm
  /** Name in DER: the very bytes of the issuer certificate's subject. */
  readonly issuer: Uint8Array
  /** Name in DER. */
  readonly subject: Uint8Array
  /** Whole seconds since the epoch; both ends are inclusive. */
  readonly validity: { readonly notBeforeSec: number; readonly notAfterSec: number }
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Uint8Array
  /** The issuer's subject key identifier; null only in a self-signed certificate (§4.2.1.1). */
  readonly authorityKeyIdentifier: Uint8Array | null
  /** All other extensions, in the order in which they will stand. */
  readonly extensions: readonly Extension[]
}

/** The TBSCertificate of a template in DER: what the issuer signs. */
export function toBeSigned(template: CertificateTemplate): Uint8Array {
  assertSound(template)
  const { authorityKeyIdentifier: issuerKey } = template
  const extensions = issuerKey === null ? [] : [authorityKeyIdentifier(issuerKey)]
  return derSequence(
    version3,
    derUnsigned(template.serialNumber),
    template.signatureAlgorithm.identifier,
    template.issuer,
    derSequence(derTime(template.validity.notBeforeSec), derTime(template.validity.notAfterSec)),
    template.subject,
    template.publicKey,
    derElement(contextConstructed(3), encodeExtensions([...template.extensions, ...extensions])),
  )
}

/**
 * The certificate.
 *
 * @param tbs what {@link toBeSigned} gave
 * @param signature of the algorithm that it names
 */
export function signedCertificate(tbs: Uint8Array, signature: Uint8Array): Uint8Array {
  return signedStructure(tbs, signature)
}

const version3 = derElement(contextConstructed(0), derInteger(2))

function assertSound({ serialNumber, issuer, subject, validity, extensions, ...rest }: CertificateTemplate): void {
  const first = serialNumber[0] ?? 0
  assert(serialNumber.length <= 20 && first < 0x80, 'a serial number is positive and takes at most 20 octets')
  assert(
    serialNumber.some((octet) => octet !== 0),
    'a serial number is not zero',
  )
  assert(validity.notBeforeSec <= validity.notAfterSec, 'a certificate ends after it begins')
  assert(!isSameName(issuer, emptyName), 'an issuer has a name')
  assert(
    rest.authorityKeyIdentifier !== null || isSameName(issuer, subject),
    'only a self-signed certificate has no AKI',
  )
  const types = extensions.map((extension) => extension.oid)
  assert(new Set(types).size === types.length, 'an extension comes once')
  assert(!types.includes(oids.authorityKeyIdentifier), 'the AKI comes from the field of that name')
  const alternative = extensions.find((extension) => extension.oid === oids.subjectAltName)
  assert(!isSameName(subject, emptyName) || alternative?.critical === true, 'an empty subject needs a critical SAN')
}

/** What each kind of certificate says. The caller brings key, serial number, validity and names; the profile the rest. */
import { assert } from '../errors.ts'
import type { IdentityId } from '../identity/id.ts'
import { signingAlgorithm } from '../x509/algorithms.ts'
import type { CertificateFields } from '../x509/certificate.ts'
import type { CertificateTemplate } from '../x509/certificate-builder.ts'
import {
  basicConstraints,
  crlDistributionPoint,
  type Extension,
  extendedKeyUsage,
  keyUsage,
  subjectAltName,
  subjectKeyIdentifier,
} from '../x509/extensions.ts'
import { buildName, emptyName } from '../x509/name.ts'
import { keyIdentifier } from '../x509/public-key.ts'
import { deviceProfile, issuingProfile, type Profile, rootProfile, serverProfile } from './profile.ts'
import type { Validity } from './validity.ts'

/** What every template needs. */
export interface TemplateParts {
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Uint8Array
  readonly serialNumber: Uint8Array
  readonly validity: Validity
}

/** The parts of an issuer's certificate that stand in what it issues; it has a subject key identifier. */
export type Issuer = Pick<CertificateFields, 'subject' | 'subjectKeyIdentifier' | 'publicKey'>

/** A root: self-signed, so without authority key identifier. @param parts.name its common name, 1 to 64 characters */
export function rootTemplate(parts: TemplateParts & { readonly name: string }): CertificateTemplate {
  const name = buildName(cutName(parts.name))
  return {
    ...certificateParts(parts),
    signatureAlgorithm: signingAlgorithm(parts.publicKey),
    issuer: name,
    subject: name,
    authorityKeyIdentifier: null,
    extensions: profileExtensions(rootProfile, parts.publicKey),
  }
}

/** An issuing authority below a root. @param parts.name its common name, 1 to 64 characters */
export function authorityTemplate(
  parts: TemplateParts & { readonly name: string; readonly issuer: Issuer },
): CertificateTemplate {
  return {
    ...certificateParts(parts),
    ...issuerParts(parts.issuer),
    subject: buildName(cutName(parts.name)),
    extensions: profileExtensions(issuingProfile, parts.publicKey),
  }
}

/** A device: CN is its id, and its SPIFFE ID is the only alternative name (X509-SVID §2). */
export function deviceTemplate(
  parts: TemplateParts & {
    readonly issuer: Issuer
    readonly id: IdentityId
    /** The SPIFFE ID. */
    readonly uri: string
    /** Where the CRL of the issuer can be fetched. */
    readonly crlUrl: string
  },
): CertificateTemplate {
  return {
    ...certificateParts(parts),
    ...issuerParts(parts.issuer),
    subject: buildName(parts.id),
    extensions: [
      ...profileExtensions(deviceProfile, parts.publicKey),
      subjectAltName({ uris: [parts.uri] }, false),
      crlDistributionPoint(parts.crlUrl),
    ],
  }
}

/**
 * The hub's own listeners. CN is the first name; where that is longer than a common name may be, the subject is empty and
 * the alternative names are critical (RFC 5280 §4.2.1.6).
 *
 * @throws HubError `config-invalid` for a name that cannot stand in a certificate
 */
export function serverTemplate(
  parts: TemplateParts & {
    readonly issuer: Issuer
    /** The SPIFFE ID of the hub. */
    readonly uri: string
    readonly dnsNames: readonly string[]
    readonly ipAddresses: readonly string[]
    /** Where the CRL of the issuer can be fetched. */
    readonly crlUrl: string
  },
): CertificateTemplate {
  const { uri, dnsNames, ipAddresses } = parts
  const first = dnsNames[0] ?? ipAddresses[0]
  assert(first !== undefined, 'a server has a name or an address')
  const isNamed = first.length <= commonNameCharsMax
  return {
    ...certificateParts(parts),
    ...issuerParts(parts.issuer),
    subject: isNamed ? buildName(first) : emptyName,
    extensions: [
      ...profileExtensions(serverProfile, parts.publicKey),
      subjectAltName({ uris: [uri], dnsNames, ipAddresses }, !isNamed),
      crlDistributionPoint(parts.crlUrl),
    ],
  }
}

/** ub-common-name (RFC 5280 appendix A.1). */
const commonNameCharsMax = 64

/** A realm may be longer than a common name: its end, which tells authorities apart, is kept. */
function cutName(name: string): string {
  return name.length <= commonNameCharsMax ? name : `…${name.slice(name.length - commonNameCharsMax + 1)}`
}

function certificateParts({ publicKey, serialNumber, validity }: TemplateParts): TemplateParts {
  return { publicKey, serialNumber, validity }
}

function issuerParts({ subject, subjectKeyIdentifier: identifier, publicKey }: Issuer) {
  assert(identifier !== null, 'an authority has a subject key identifier')
  const signatureAlgorithm = signingAlgorithm(publicKey)
  return { signatureAlgorithm, issuer: subject.der, authorityKeyIdentifier: identifier } as const
}

function profileExtensions(profile: Profile, publicKey: Uint8Array): Extension[] {
  const { pathLength, extendedKeyUsage: purposes } = profile
  return [
    ...(pathLength === null ? [] : [basicConstraints(pathLength)]),
    keyUsage(profile.keyUsage),
    ...(purposes.length === 0 ? [] : [extendedKeyUsage(purposes)]),
    subjectKeyIdentifier(keyIdentifier(publicKey)),
  ]
}

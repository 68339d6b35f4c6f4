/** What certificates say, as bytes to be. The caller brings key, serial number and validity; the profile the rest. */
import { assert } from '../errors.ts'
import { signingAlgorithm } from '../x509/algorithms.ts'
import type { CertificateFields } from '../x509/certificate.ts'
import type { CertificateTemplate } from '../x509/certificate-builder.ts'
import {
  authorityInfoAccess,
  basicConstraints,
  crlDistributionPoint,
  type Extension,
  extendedKeyUsage,
  keyUsage,
  ocspNoCheck,
  subjectAltName,
  subjectKeyIdentifier,
} from '../x509/extensions.ts'
import { buildName } from '../x509/name.ts'
import { oids } from '../x509/oids.ts'
import { keyIdentifier } from '../x509/public-key.ts'
import { issuingProfile, rootProfile } from './built-in.ts'
import type { CertificateContent } from './certificate-content.ts'
import type { Profile } from './profile.ts'
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

/** Where readers of a certificate find what they need to judge it. */
export interface StatusUrls {
  /** The CRL that it would stand in, or null where none is published. */
  readonly crlUrl: string | null
  /** The OCSP responder, or null where there is none. */
  readonly ocspUrl: string | null
  /** The certificate of the issuer, in DER; null where it is not published. */
  readonly caIssuersUrl: string | null
}

/**
 * The certificate of an identity, whatever its profile. Its alternative names are critical exactly where its subject is
 * empty (RFC 5280 §4.2.1.6). Of the places it names those that the profile wants and that there are.
 */
export function certificateTemplate(
  parts: TemplateParts & StatusUrls & { readonly issuer: Issuer; readonly content: CertificateContent },
): CertificateTemplate {
  const { subject, subjectAttributes, uri, dnsNames, ipAddresses, emails, profile } = parts.content
  const names = { uris: [uri], dnsNames, ipAddresses, emails }
  return {
    ...certificateParts(parts),
    ...issuerParts(parts.issuer, profile),
    subject,
    extensions: [
      ...profileExtensions(profile, parts.publicKey),
      subjectAltName(names, subjectAttributes.length === 0),
      ...statusExtensions(profile, parts),
      // Who tells the status of others is not asked for its own (RFC 6960 §4.2.2.2.1).
      ...(profile.extendedKeyUsage.includes(oids.ocspSigning) ? [ocspNoCheck()] : []),
    ],
  }
}

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

/** The key of a root, certified by another root. @param parts.name Name in DER of the root that it is for */
export function crossTemplate(
  parts: TemplateParts & { readonly name: Uint8Array; readonly issuer: Issuer },
): CertificateTemplate {
  return {
    ...certificateParts(parts),
    ...issuerParts(parts.issuer, rootProfile),
    subject: parts.name,
    extensions: profileExtensions(rootProfile, parts.publicKey),
  }
}

/** An issuing authority below a root. @param parts.name its common name, 1 to 64 characters */
export function authorityTemplate(
  parts: TemplateParts & { readonly name: string; readonly issuer: Issuer },
): CertificateTemplate {
  return {
    ...certificateParts(parts),
    ...issuerParts(parts.issuer, issuingProfile),
    subject: buildName(cutName(parts.name)),
    extensions: profileExtensions(issuingProfile, parts.publicKey),
  }
}

/** ub-common-name (RFC 5280 appendix A.1). */
const commonNameCharsMax = 64

/** A realm may be longer than a common name: its end, which tells authorities apart, is kept. */
export function cutName(name: string): string {
  return name.length <= commonNameCharsMax ? name : `…${name.slice(name.length - commonNameCharsMax + 1)}`
}

function certificateParts({ publicKey, serialNumber, validity }: TemplateParts): TemplateParts {
  return { publicKey, serialNumber, validity }
}

function issuerParts({ subject, subjectKeyIdentifier: identifier, publicKey }: Issuer, { hash }: Profile) {
  assert(identifier !== null, 'an authority has a subject key identifier')
  const signatureAlgorithm = signingAlgorithm(publicKey, hash)
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

function statusExtensions({ status }: Profile, { crlUrl, ocspUrl, caIssuersUrl }: StatusUrls): Extension[] {
  const ways = {
    ...(ocspUrl === null ? {} : { ocspUrl }),
    ...(caIssuersUrl === null ? {} : { caIssuersUrl }),
  }
  return [
    ...(status.crl && crlUrl !== null ? [crlDistributionPoint(crlUrl)] : []),
    ...(status.ocsp && Object.keys(ways).length > 0 ? [authorityInfoAccess(ways)] : []),
  ]
}

/** What a lint rule is given and what it answers. Every rule stands in a file of its own below `rules/`. */
import type { IdentityId } from '../identity/id.ts'
import type { IdentityNames } from '../identity/identity.ts'
import type { CertificateFields } from '../x509/certificate.ts'
import type { CertificateLayout } from '../x509/certificate-layout.ts'
import type { AuthorityWay, GeneralNames } from '../x509/extension-reader.ts'
import type { Profile } from './profile.ts'
import type { StatusUrls } from './templates.ts'

/** The issuer of a certificate, as far as it shows in what it issues. */
export type LintIssuer = Pick<
  CertificateFields,
  'subject' | 'subjectKeyIdentifier' | 'publicKey' | 'notBeforeSec' | 'notAfterSec' | 'basicConstraints' | 'keyUsage'
>

/**
 * What a certificate was meant to be. It is known apart from the certificate, so that a template that says something else
 * is found out. What nobody knows any more of a certificate issued long ago is null, and not looked at.
 */
export interface CertificatePlan {
  /** With lifetime and extended key usages as they were ordered. */
  readonly profile: Profile
  /** Null for a certificate that its own key signs. */
  readonly issuer: LintIssuer | null
  /** When it was made by the issuer's clock, whole seconds since the epoch. */
  readonly madeAtSec: number
  /** Null for the certificates of authorities, which speak for nobody. */
  readonly identity: { readonly id: IdentityId; readonly spiffeId: string | null } | null
  /** Name in DER. */
  readonly subject: Uint8Array | null
  /** What it calls the identity beside its id. */
  readonly names: IdentityNames | null
  /** Where readers are told to look; of these the profile chooses. */
  readonly status: StatusUrls | null
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Uint8Array | null
  /** The serial number that this issuer gave before, lower-case hexadecimal. */
  readonly previousSerialNumber: string | null
}

/** A certificate that can be read, beside its plan. */
export interface LintSubject {
  readonly certificate: CertificateFields
  readonly layout: CertificateLayout
  /** Its alternative names. */
  readonly names: GeneralNames
  readonly authorityInformation: readonly AuthorityWay[]
  readonly plan: CertificatePlan
  /** That of the plan; the certificate itself where its own key signs it. */
  readonly issuer: LintIssuer
}

interface Rule {
  /** The name of its file. */
  readonly name: string
  /** Where it is written. */
  readonly clause: string
  /** What would go wrong without it. */
  readonly reason: string
}

export interface LintRule extends Rule {
  /** What is wrong, as a sentence without a subject: "ends after its issuer"; null where nothing is. */
  faultOf(subject: LintSubject): string | null
}

/** How reading a certificate went. */
export interface CertificateReading {
  /** Null where not even that can be told. */
  readonly layout: CertificateLayout | null
  /** What stopped the reading, in words; null where nothing did. */
  readonly fault: string | null
}

/** A rule about the encoding. What it finds leaves nothing to look at for the others. */
export interface EncodingRule extends Rule {
  faultOf(reading: CertificateReading): string | null
}

/** Looking at a certificate before anybody gets it: every rule stands in a file of its own, with clause and reason. */
import { HubError } from '../errors.ts'
import { readCertificate } from '../x509/certificate.ts'
import { type CertificateLayout, certificateLayout } from '../x509/certificate-layout.ts'
import { DerError } from '../x509/der-reader.ts'
import { readAuthorityWays, readSubjectAltName } from '../x509/extension-reader.ts'
import { oids } from '../x509/oids.ts'
import type { CertificatePlan, CertificateReading, EncodingRule, LintRule, LintSubject } from './lint-rule.ts'
import { alternativeNamesPresent } from './rules/alternative-names-present.ts'
import { authorityInformationAccessForm } from './rules/authority-information-access-form.ts'
import { authorityKeyIdentifierRule } from './rules/authority-key-identifier.ts'
import { basicConstraintsOfProfile } from './rules/basic-constraints-of-profile.ts'
import { certificateVersion } from './rules/certificate-version.ts'
import { criticalExtensionsCompatible } from './rules/critical-extensions-compatible.ts'
import { crlDistributionPointForm } from './rules/crl-distribution-point-form.ts'
import { dnsNameForm } from './rules/dns-name-form.ts'
import { emailForm } from './rules/email-form.ts'
import { emptySubjectNeedsCriticalNames } from './rules/empty-subject-needs-critical-names.ts'
import { extendedKeyUsageConsistent } from './rules/extended-key-usage-consistent.ts'
import { extendedKeyUsageOfProfile } from './rules/extended-key-usage-of-profile.ts'
import { extensionOnce } from './rules/extension-once.ts'
import { extensionsOfProfile } from './rules/extensions-of-profile.ts'
import { ipAddressForm } from './rules/ip-address-form.ts'
import { issuerMaySign } from './rules/issuer-may-sign.ts'
import { issuerName } from './rules/issuer-name.ts'
import { keyUsageConsistent } from './rules/key-usage-consistent.ts'
import { keyUsageOfProfile } from './rules/key-usage-of-profile.ts'
import { namesAsOrdered } from './rules/names-as-ordered.ts'
import { noRevocationAvailableAlone } from './rules/no-revocation-available-alone.ts'
import { publicKeyAcceptable } from './rules/public-key-acceptable.ts'
import { publicKeyAsOrdered } from './rules/public-key-as-ordered.ts'
import { publicKeyNotOfIssuer } from './rules/public-key-not-of-issuer.ts'
import { serialNumberPositive } from './rules/serial-number-positive.ts'
import { serialNumberUnpredictable } from './rules/serial-number-unpredictable.ts'
import { signatureAlgorithmOfIssuer } from './rules/signature-algorithm-of-issuer.ts'
import { spiffeIdOnce } from './rules/spiffe-id-once.ts'
import { strictDer } from './rules/strict-der.ts'
import { subjectAsOrdered } from './rules/subject-as-ordered.ts'
import { subjectForm } from './rules/subject-form.ts'
import { subjectKeyIdentifierRule } from './rules/subject-key-identifier.ts'
import { subjectNamesIdentity } from './rules/subject-names-identity.ts'
import { validityBackdatedLittle } from './rules/validity-backdated-little.ts'
import { validityForm } from './rules/validity-form.ts'
import { validityOfProfile } from './rules/validity-of-profile.ts'
import { validityWithinIssuer } from './rules/validity-within-issuer.ts'

/** In the order in which a certificate is laid out. */
export const lintRules: readonly LintRule[] = [
  certificateVersion,
  serialNumberPositive,
  serialNumberUnpredictable,
  signatureAlgorithmOfIssuer,
  issuerMaySign,
  issuerName,
  validityForm,
  validityWithinIssuer,
  validityBackdatedLittle,
  validityOfProfile,
  subjectForm,
  subjectAsOrdered,
  subjectNamesIdentity,
  emptySubjectNeedsCriticalNames,
  publicKeyAcceptable,
  publicKeyAsOrdered,
  publicKeyNotOfIssuer,
  extensionsOfProfile,
  criticalExtensionsCompatible,
  authorityKeyIdentifierRule,
  subjectKeyIdentifierRule,
  basicConstraintsOfProfile,
  keyUsageOfProfile,
  keyUsageConsistent,
  extendedKeyUsageOfProfile,
  extendedKeyUsageConsistent,
  alternativeNamesPresent,
  spiffeIdOnce,
  dnsNameForm,
  ipAddressForm,
  emailForm,
  namesAsOrdered,
  crlDistributionPointForm,
  authorityInformationAccessForm,
  noRevocationAvailableAlone,
]

/** They come before all others. */
export const encodingRules: readonly EncodingRule[] = [extensionOnce, strictDer]

/** What a rule has found. */
export interface LintFinding {
  readonly rule: string
  /** A sentence without a subject: "ends after its issuer". */
  readonly sentence: string
}

/**
 * Looks at a certificate in DER, whoever signed it, and answers all that is wrong with it.
 *
 * @param plan what it was meant to be
 */
export function lintCertificate(der: Uint8Array, plan: CertificatePlan): readonly LintFinding[] {
  const { reading, subject } = read(der, plan)
  const early = encodingRules.flatMap((rule) => foundBy(rule.name, rule.faultOf(reading)))
  if (early.length > 0 || subject === null) return early.slice(0, 1)
  return lintRules.flatMap((rule) => foundBy(rule.name, rule.faultOf(subject)))
}

function foundBy(rule: string, sentence: string | null): readonly LintFinding[] {
  return sentence === null ? [] : [{ rule, sentence }]
}

interface Read {
  readonly reading: CertificateReading
  /** Null where something stopped the reading. */
  readonly subject: LintSubject | null
}

function read(der: Uint8Array, plan: CertificatePlan): Read {
  let layout: CertificateLayout | null = null
  try {
    layout = certificateLayout(der)
    const certificate = readCertificate(der)
    const alternative = certificate.extensions.get(oids.subjectAltName)
    const access = certificate.extensions.get(oids.authorityInfoAccess)
    const subject: LintSubject = {
      certificate,
      layout,
      plan,
      names: alternative === undefined ? noNames : readSubjectAltName(alternative),
      authorityInformation: access === undefined ? [] : readAuthorityWays(access),
      issuer: plan.issuer ?? certificate,
    }
    return { reading: { layout, fault: null }, subject }
  } catch (error) {
    if (!(error instanceof DerError || error instanceof HubError)) throw error
    return { reading: { layout, fault: error.message }, subject: null }
  }
}

const noNames = { uris: [], dnsNames: [], ipAddresses: [], emails: [], others: 0 } as const

/**
 * The way to a signature. An authority signs a certificate for a permit alone, a permit is given once for a certificate that
 * has passed the lint, and it is good for one signature by the issuer that the lint knew. Neither can be made in another way:
 * what counts is not the object but that this file remembers having made it.
 */
import { assert, HubError } from '../errors.ts'
import { toBeSignedOf } from '../x509/certificate-layout.ts'
import { lintCertificate } from './lint.ts'
import type { CertificatePlan } from './lint-rule.ts'

let newLinted: (certificate: Uint8Array, toBeSigned: Uint8Array) => LintedCertificate
let newPermit: () => SigningPermit

/** A certificate of which every rule said that it may be signed. */
export class LintedCertificate {
  /** The certificate in DER, signed by a key that nobody trusts. */
  readonly certificate: Uint8Array
  /** The TBSCertificate in it: what will be signed. */
  readonly toBeSigned: Uint8Array

  private constructor(certificate: Uint8Array, toBeSigned: Uint8Array) {
    this.certificate = certificate
    this.toBeSigned = toBeSigned
  }

  static {
    newLinted = (certificate, toBeSigned) => new LintedCertificate(certificate, toBeSigned)
  }
}

/** The right to one signature. */
export class SigningPermit {
  private constructor() {}

  static {
    newPermit = () => new SigningPermit()
  }
}

/** What a permit is good for. */
interface Signing {
  /** The TBSCertificate in DER. */
  readonly toBeSigned: Uint8Array
  /** SubjectPublicKeyInfo in DER of who may sign. */
  readonly issuerKey: Uint8Array
}

/**
 * Looks at a certificate that is about to be signed.
 *
 * @param certificate the certificate in DER, signed by a throwaway key of the issuer's algorithm
 * @throws HubError `certificate-lint-failed`, naming every rule that it breaks
 */
export function lintBeforeSigning(certificate: Uint8Array, plan: CertificatePlan): LintedCertificate {
  // A copy of our own: what was looked at is what will be signed, whatever the caller does with its bytes.
  const der = new Uint8Array(certificate)
  const findings = lintCertificate(der, plan)
  if (findings.length > 0) {
    const list = findings.map(({ rule, sentence }) => `it ${sentence} (${rule})`).join('; ')
    throw new HubError('certificate-lint-failed', `a ${plan.profile.name} certificate was not signed: ${list}`)
  }
  const issuerKey = plan.issuer?.publicKey ?? plan.publicKey
  assert(issuerKey !== null, 'who signs itself is looked at with its own key')
  const signing = { toBeSigned: toBeSignedOf(der).slice(), issuerKey: new Uint8Array(issuerKey) }
  const linted = newLinted(der, signing.toBeSigned.slice())
  permissible.set(linted, signing)
  return linted
}

/** The permit of a certificate that has passed; there is one. */
export function permitFor(linted: LintedCertificate): SigningPermit {
  const signing = permissible.get(linted)
  assert(signing !== undefined, 'a permit is given once, for a certificate that has passed the lint')
  permissible.delete(linted)
  const permit = newPermit()
  unused.set(permit, signing)
  return permit
}

/**
 * Uses up a permit. For the one who holds the key.
 *
 * @param issuerKey SubjectPublicKeyInfo in DER of the key that will sign
 * @returns the TBSCertificate to sign
 */
export function redeemPermit(permit: SigningPermit, issuerKey: Uint8Array): Uint8Array {
  const signing = unused.get(permit)
  assert(signing !== undefined, 'a permit is good for one signature')
  assert(Buffer.compare(signing.issuerKey, issuerKey) === 0, 'a permit is good for the issuer that the lint knew')
  unused.delete(permit)
  return signing.toBeSigned
}

const permissible = new WeakMap<LintedCertificate, Signing>()
const unused = new WeakMap<SigningPermit, Signing>()

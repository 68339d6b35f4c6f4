/**
 * Signing: the one place where a certificate for an identity comes into being.
 *
 * What is about to be signed is signed with a throwaway key, linted, and written down before the authority's key is used, so
 * that whatever happens afterwards there is a record of it that can be found and revoked: an intent. The caller completes
 * it, in one transaction with what caused it, and hands the certificate out only then.
 */
import { hash } from 'node:crypto'
import { HubError } from '../core/errors.ts'
import type { Credential, KeyOrigin, SerialNumber } from '../core/identity/credential.ts'
import { limits } from '../core/limits.ts'
import type { CertificateContent } from '../core/profile/certificate-content.ts'
import { assertIssuedAsPlanned } from '../core/profile/check.ts'
import type { CertificatePlan } from '../core/profile/lint-rule.ts'
import { type LintedCertificate, lintBeforeSigning, permitFor } from '../core/profile/permit.ts'
import { certificateTemplate, type StatusUrls } from '../core/profile/templates.ts'
import { type Validity, validityFrom } from '../core/profile/validity.ts'
import { certificateFingerprint } from '../core/x509/certificate.ts'
import { toBeSigned } from '../core/x509/certificate-builder.ts'
import { publicKeyHash } from '../core/x509/public-key.ts'
import { serialNumberFrom } from '../core/x509/serial-number.ts'
import type { Authority } from './authority.ts'
import type { Clock } from './ports/clock.ts'
import type { Random } from './ports/random.ts'
import type { StatusPlace, StatusPlaces } from './ports/status-places.ts'
import type { Store, Transaction } from './ports/store.ts'
import { signForLint } from './throwaway-keys.ts'

export interface IssuingHub {
  readonly store: Pick<Store, 'write'>
  readonly clock: Clock
  readonly random: Random
  readonly statusPlaces: StatusPlaces
}

export interface IssuanceOrder {
  readonly authority: Authority
  /** What the certificate will say of its holder. */
  readonly content: CertificateContent
  readonly tokenId: string | null
  /** The credential whose holder asked; none where it is left out. */
  readonly parentSerial?: SerialNumber | null
  /** The holder where it is left out. */
  readonly keyOrigin?: KeyOrigin
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Uint8Array
  /** Who asked, as the audit log names them. */
  readonly actor: string
}

/**
 * Signs a certificate, with a record before and a check by independent code after it.
 *
 * @returns the credential as it will be, `pending`; only its intent is stored: see {@link completeCredential}
 * @throws HubError `authority-expired`, `clock-before-authority`; `certificate-lint-failed`, and nothing was signed; `internal`
 *   when the certificate is not what was planned
 */
export async function issueCredential(hub: IssuingHub, order: IssuanceOrder): Promise<Credential> {
  const { authority, content, publicKey } = order
  const { fields: issuer } = authority
  const issuedAtMs = hub.clock.nowMs()
  // One look at the clock: what is written down says the same as the certificate.
  const madeAtSec = Math.floor(issuedAtMs / 1000)
  const validity = validityFrom(content.profile, madeAtSec, issuer)
  const serialNumber = serialNumberFrom(hub.random.bytes(20))
  const { crlShard, ...status } = hasStatus(content)
    ? await hub.statusPlaces.placeFor(authority.id, validity.notAfterSec)
    : nowhere
  const plan = planOf(order, status, madeAtSec)
  const tbs = toBeSigned(certificateTemplate({ publicKey, serialNumber, issuer, validity, content, ...status }))
  const linted = lintBeforeSigning(await signForLint(tbs, issuer.publicKey), plan)
  const intent: Credential = {
    ...orderedOf(order, linted),
    serialNumber: Buffer.from(serialNumber).toString('hex'),
    crlShard: content.profile.status.crl ? crlShard : null,
    ...validity,
    issuedAtMs,
  }
  lastSerialNumbers.set(authority, intent.serialNumber)
  await writeDown(hub, intent, linted, order.actor)
  const certificate = await authority.signCertificate(permitFor(linted))
  assertIssuedAsPlanned(certificate, linted, plan, authority.x509)
  return { ...intent, state: 'pending', certificate, fingerprint: certificateFingerprint(certificate) }
}

/**
 * Puts a certificate that was signed in place of its intent, inside the caller's transaction.
 *
 * @throws HubError `issuance-lapsed` when it took too long, or what was intended was revoked meanwhile
 */
export async function completeCredential(
  tx: Pick<Transaction, 'credentials'>,
  clock: Clock,
  credential: Credential,
): Promise<void> {
  const isLate = clock.nowMs() - credential.issuedAtMs > limits.intentCompletedMs
  if (!isLate && (await tx.credentials.complete(credential))) return
  const what = isLate ? 'was ready too late' : 'was revoked before it was ready'
  throw new HubError('issuance-lapsed', `the certificate ${credential.serialNumber} ${what}`)
}

/** Of a certificate whose profile names no place: none is taken for it. */
const nowhere: StatusPlace = { crlShard: null, crlUrl: null, ocspUrl: null, caIssuersUrl: null }

function hasStatus({ profile: { status } }: CertificateContent): boolean {
  return status.crl || status.ocsp
}

/** The serial number that an authority gave last, in this process. */
const lastSerialNumbers = new WeakMap<Authority, SerialNumber>()

function planOf(
  { authority, content, publicKey }: IssuanceOrder,
  status: StatusUrls,
  madeAtSec: number,
): CertificatePlan {
  const { profile, identityId, subject, uri, dnsNames, ipAddresses, emails } = content
  return {
    profile,
    issuer: authority.fields,
    madeAtSec,
    identity: { id: identityId, spiffeId: uri },
    subject,
    names: { dnsNames, ipAddresses, emails },
    status,
    publicKey,
    previousSerialNumber: lastSerialNumbers.get(authority) ?? null,
  }
}

function orderedOf(
  order: IssuanceOrder,
  { certificate }: LintedCertificate,
): Omit<Credential, 'serialNumber' | 'crlShard' | 'issuedAtMs' | keyof Validity> {
  return {
    fingerprint: certificateFingerprint(certificate),
    identityId: order.content.identityId,
    authorityId: order.authority.id,
    profile: order.content.profile.name,
    state: 'intended',
    publicKeyHash: publicKeyHash(order.publicKey),
    keyOrigin: order.keyOrigin ?? 'holder',
    certificate,
    tokenId: order.tokenId,
    parentSerial: order.parentSerial ?? null,
    activatedAtMs: null,
    supersededAtMs: null,
    revokedAtMs: null,
    revocationReason: null,
  }
}

async function writeDown(hub: IssuingHub, intent: Credential, linted: LintedCertificate, actor: string): Promise<void> {
  await hub.store.write(async (tx) => {
    await tx.credentials.insert(intent)
    await tx.audit.append({
      atMs: intent.issuedAtMs,
      actor,
      act: 'credential.sign',
      subject: intent.serialNumber,
      before: null,
      after: {
        identity: intent.identityId,
        authority: intent.authorityId,
        profile: intent.profile,
        toBeSigned: hash('sha256', linted.toBeSigned, 'hex'),
      },
    })
  })
}

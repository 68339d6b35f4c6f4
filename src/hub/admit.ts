/** Who is behind a client certificate, and may it in now. */
import { X509Certificate } from 'node:crypto'
import { HubError } from '../core/errors.ts'
import type { FailureName } from '../core/failure/catalogue.ts'
import type { Credential } from '../core/identity/credential.ts'
import { type Identity, identityRefusal } from '../core/identity/identity.ts'
import { gateProfile } from '../core/profile/built-in.ts'
import type { Profile } from '../core/profile/profile.ts'
import { type Abilities, abilitiesOf } from '../core/renewal/abilities.ts'
import { overlapEndMs } from '../core/renewal/overlap.ts'
import { type CertificateFields, certificateFingerprint, readCertificate } from '../core/x509/certificate.ts'
import { nameText } from '../core/x509/name.ts'
import { oids } from '../core/x509/oids.ts'
import type { Authorities } from './authorities.ts'
import type { Authority } from './authority.ts'
import { certificateSummary } from './certificate-summary.ts'
import { firstUse } from './first-use.ts'
import type { Admission, Judgement, Purpose } from './judgement.ts'
import type { CertificateSummary } from './ports/attempts.ts'
import type { Clock } from './ports/clock.ts'
import type { Store } from './ports/store.ts'
import { profileNamed } from './profiles.ts'

interface Hub {
  readonly store: Store
  readonly clock: Clock
  readonly authorities: Authorities
}

/** Admission by the registry: a certificate of ours is its row, byte for byte. */
export function registryAdmission(hub: Hub): Admission {
  return {
    judge: (certificate) => judgeCertificate(hub, certificate, 'connect'),
    confirmUse: (judgement) => confirmFirstUse(hub, judgement, 'connect'),
  }
}

/** Admission to the admin API: the same, for people alone. */
export function personAdmission(hub: Hub): Admission {
  return {
    judge: (certificate) => judgeCertificate(hub, certificate, 'administer'),
    confirmUse: (judgement) => confirmFirstUse(hub, judgement, 'administer'),
  }
}

/** Admission to the gate link: the same, for services that are granted to be a gate, with a certificate that is made for it. */
export function linkAdmission(hub: Hub): Admission {
  return {
    judge: (certificate) => judgeCertificate(hub, certificate, 'link'),
    confirmUse: (judgement) => confirmFirstUse(hub, judgement, 'link'),
  }
}

/**
 * Judges a client certificate from its own bytes.
 *
 * @param certificate the leaf in DER as it came in the handshake, or null when none came
 */
export async function judgeCertificate(hub: Hub, certificate: Uint8Array | null, purpose: Purpose): Promise<Judgement> {
  if (certificate === null) {
    return refused('certificate-missing', 'the client sent no certificate', null, null)
  }
  const credential = await hub.store.credentials.find(certificateFingerprint(certificate))
  if (credential === null) return judgeStranger(hub, certificate)
  const identity = await hub.store.identities.find(credential.identityId)
  return judgeKnown(hub, { credential, identity, profile: await profileNamed(hub.store, credential.profile) }, purpose)
}

/**
 * Marks the first use of a credential that was judged a moment ago. States are read again inside the transaction, so the
 * answer may be a refusal. It is on disk when this is fulfilled.
 */
export async function confirmFirstUse(hub: Hub, judgement: Admitted, purpose: Purpose): Promise<Judgement> {
  return hub.store.write(async (tx) => {
    const credential = await tx.credentials.find(judgement.credential.fingerprint)
    const identity = await tx.identities.find(judgement.identity.id)
    if (credential === null) throw new HubError('internal', 'a judged credential has left the registry')
    const profile = await profileNamed(tx, credential.profile)
    const now = judgeKnown(hub, { credential, identity, profile }, purpose)
    return now.admitted ? { ...now, credential: await firstUse(tx, now, hub.clock.nowMs()) } : now
  })
}

type Admitted = Judgement & { readonly admitted: true }

/** What the registry holds about a certificate. */
export interface Known {
  readonly credential: Credential
  readonly identity: Identity | null
  /** Null where nobody knows it any more. */
  readonly profile: Profile | null
}

/** The judgement by what the registry holds now. */
export function judgeKnown(
  hub: Pick<Hub, 'clock' | 'authorities'>,
  { credential, identity, profile }: Known,
  purpose: Purpose,
): Judgement {
  const summary = summaryOf(hub, credential)
  const ofIdentity = identity === null ? 'identity-not-found' : identityRefusal(identity.state)
  const ofCredential = refusalFor(purpose, abilitiesOf(credential, profile?.renewal ?? null, hub.clock.nowMs()))
  // Adopting it would not let it in: what was taken from the device itself is the news.
  const isTakenAway = ofIdentity === 'identity-disabled' || ofIdentity === 'identity-retired'
  const code =
    (ofCredential === 'certificate-not-adopted' && isTakenAway ? ofIdentity : ofCredential) ??
    (isFitFor(purpose, { credential, identity, profile }) ? null : 'certificate-wrong-usage') ??
    ofIdentity
  if (code !== null || identity === null) {
    const name = code ?? 'identity-not-found'
    return refused(name, sentenceFor(name, credential, hub.clock.nowMs()), credential.identityId, summary)
  }
  return { admitted: true, identity, credential, summary }
}

function isFitFor(purpose: Purpose, { credential, identity, profile }: Known): boolean {
  switch (purpose) {
    case 'connect':
      return profile?.mayConnect === true
    case 'renew':
      return true
    case 'administer':
      return (
        identity?.kind === 'user' &&
        profile?.extendedKeyUsage.includes(oids.clientAuth) === true &&
        credential.state !== 'quarantined'
      )
    case 'link':
      return (
        identity?.kind === 'service' &&
        identity.profiles.includes(gateProfile.name) &&
        profile?.name === gateProfile.name &&
        credential.state !== 'quarantined'
      )
  }
}

function refusalFor(purpose: Purpose, { refusal, renew }: Abilities): FailureName | null {
  return purpose === 'renew' && renew !== 'no' ? null : refusal
}

/** Names what is wrong with a certificate that the registry does not hold. */
function judgeStranger(hub: Hub, certificate: Uint8Array): Judgement {
  let fields: CertificateFields
  try {
    fields = readCertificate(certificate)
  } catch (error) {
    if (!(error instanceof HubError)) throw error
    return refused('certificate-unreadable', error.message, null, null)
  }
  const summary = certificateSummary(certificate, fields)
  const { serialNumber, issuer, subject } = summary
  // A root and its successor have one name.
  const namesakes = hub.authorities
    .all()
    .filter(({ fields: { subject: name } }) => sameBytes(name.der, fields.issuer.der))
  const signer = namesakes.find((authority) => isSignedBy(certificate, authority))
  const ours = signer ?? namesakes.at(-1)
  if (ours !== undefined) {
    const genuine = signer !== undefined
    const sentence = genuine
      ? `the certificate ${serialNumber} was signed by our ${ours.id}, but the registry does not hold it`
      : `the certificate names our ${ours.id} as its issuer, but was not signed by it: it is forged`
    return refused('certificate-unknown-serial', sentence, null, summary)
  }
  if (sameBytes(fields.issuer.der, fields.subject.der)) {
    return refused('certificate-self-signed', `the certificate of ${subject} is self-signed`, null, summary)
  }
  const sentence = `the certificate of ${subject} was issued by ${issuer}, which this hub does not know`
  return refused('certificate-foreign-authority', sentence, null, summary)
}

function isSignedBy(certificate: Uint8Array, authority: Authority): boolean {
  try {
    return new X509Certificate(certificate).verify(authority.x509.publicKey)
  } catch {
    return false
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

/** The summary of a certificate of ours, from its row: the bytes are known and need no second reading. */
function summaryOf(hub: Pick<Hub, 'authorities'>, credential: Credential): CertificateSummary {
  const issuer = hub.authorities.byId(credential.authorityId)
  return {
    fingerprint: credential.fingerprint,
    serialNumber: credential.serialNumber,
    subject: `CN=${credential.identityId}`,
    issuer: issuer === null ? credential.authorityId : nameText(issuer.fields.subject),
    notBeforeSec: credential.notBeforeSec,
    notAfterSec: credential.notAfterSec,
  }
}

function sentenceFor(code: FailureName, credential: Credential, nowMs: number): string {
  const who = `the certificate ${credential.serialNumber} of ${credential.identityId}`
  switch (code) {
    case 'certificate-revoked': {
      const at = new Date(credential.revokedAtMs ?? nowMs).toISOString()
      return `${who} was revoked at ${at} (${credential.revocationReason ?? 'unspecified'})`
    }
    case 'certificate-expired':
      return `${who} expired ${ago(nowMs / 1000 - credential.notAfterSec)} ago, at ${isoSec(credential.notAfterSec)}`
    case 'certificate-not-yet-valid':
      return `${who} becomes valid only in ${ago(credential.notBeforeSec - nowMs / 1000)}, at ${isoSec(credential.notBeforeSec)}`
    case 'certificate-superseded': {
      const supersededAtMs = credential.supersededAtMs ?? 0
      const [at, until] = [supersededAtMs, overlapEndMs({ ...credential, supersededAtMs })].map(isoMs)
      return `${who} was superseded at ${at} by a newer one, and its overlap ended at ${until}`
    }
    case 'certificate-lapsed':
      return `${who} was issued at ${isoMs(credential.issuedAtMs)} and has not been used in time: it has lapsed`
    case 'certificate-wrong-usage':
      return `${who} is a ${credential.profile} certificate and is not for this: it may not connect as a client here`
    case 'certificate-not-adopted':
      return `${who} was issued at ${new Date(credential.issuedAtMs).toISOString()}, after the backup that was restored`
    case 'certificate-never-completed':
      return `${who} was planned, but its issuance was never completed`
    case 'identity-disabled':
      return `${credential.identityId} is disabled`
    case 'identity-retired':
      return `${credential.identityId} is retired`
    case 'identity-pending':
      return `${credential.identityId} waits for approval`
    default:
      return `${who} is refused`
  }
}

function isoMs(ms: number): string {
  return new Date(ms).toISOString()
}

function isoSec(sec: number): string {
  return new Date(sec * 1000).toISOString()
}

function ago(seconds: number): string {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`
  return `${Math.round(seconds / 86_400)} days`
}

function refused(
  code: FailureName,
  sentence: string,
  identityId: string | null,
  summary: CertificateSummary | null,
): Judgement {
  return { admitted: false, code, sentence, identityId, summary }
}

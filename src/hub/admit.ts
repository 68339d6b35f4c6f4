/** Who is behind a client certificate, and may it in now. */

import { HubError } from '../core/errors.ts'
import type { FailureName } from '../core/failure/catalogue.ts'
import type { Credential } from '../core/identity/credential.ts'
import { type Identity, identityRefusal } from '../core/identity/identity.ts'
import { gateProfile, verifierProfile } from '../core/profile/built-in.ts'
import type { Profile } from '../core/profile/profile.ts'
import { type Abilities, abilitiesOf } from '../core/renewal/abilities.ts'
import { overlapEndMs } from '../core/renewal/overlap.ts'
import { certificateFingerprint } from '../core/x509/certificate.ts'
import type { CertificateSummary } from '../core/x509/certificate-summary.ts'
import { nameText } from '../core/x509/name.ts'
import { oids } from '../core/x509/oids.ts'
import { beginWords, expiryWords } from '../core/x509/validity-words.ts'
import type { Authorities } from './authorities.ts'
import { firstUse } from './first-use.ts'
import type { Admission, Judgement, Purpose } from './judgement.ts'
import { type Clock, nowSec } from './ports/clock.ts'
import type { Store } from './ports/store.ts'
import { profileNamed } from './profiles.ts'
import { strangerRefusal } from './stranger.ts'

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

/** Admission of servers that ask about the certificates of others: services that are granted to be a verifier, with a certificate made for it. */
export function verifierAdmission(hub: Hub): Admission {
  return {
    judge: (certificate) => judgeCertificate(hub, certificate, 'verify'),
    confirmUse: (judgement) => confirmFirstUse(hub, judgement, 'verify'),
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
  if (credential === null) return strangerRefusal(hub.authorities.all(), certificate, nowSec(hub.clock))
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
      return isGranted(gateProfile.name, { credential, identity, profile })
    case 'verify':
      return isGranted(verifierProfile.name, { credential, identity, profile })
    case 'present':
      return profile?.extendedKeyUsage.includes(oids.clientAuth) === true
  }
}

/** What a profile alone opens is for services that are granted it now, and by certificates made from it. */
function isGranted(name: string, { credential, identity, profile }: Known): boolean {
  return (
    identity?.kind === 'service' &&
    identity.profiles.includes(name) &&
    profile?.name === name &&
    credential.state !== 'quarantined'
  )
}

function refusalFor(purpose: Purpose, { refusal, renew }: Abilities): FailureName | null {
  return purpose === 'renew' && renew !== 'no' ? null : refusal
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
      return `${who} ${expiryWords(credential.notAfterSec, nowMs / 1000)}`
    case 'certificate-not-yet-valid':
      return `${who} ${beginWords(credential.notBeforeSec, nowMs / 1000)}`
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

function refused(
  code: FailureName,
  sentence: string,
  identityId: string | null,
  summary: CertificateSummary | null,
): Judgement {
  return { admitted: false, code, sentence, identityId, summary }
}

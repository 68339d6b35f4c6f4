/** Rows of the registry as the admin API shows them. */
import type { AuthorityView, RollOverView } from '../../api-schema/authority-views.ts'
import type { IdentityView } from '../../api-schema/identities.ts'
import type {
  AdoptionView,
  AuditEntryView,
  ContestView,
  CredentialView,
  DeviceChangeView,
  DeviceView,
  EnrolmentRequestView,
} from '../../api-schema/views.ts'
import type { Credential } from '../../core/identity/credential.ts'
import type { Identity } from '../../core/identity/identity.ts'
import { keyWords } from '../../core/identity/key-words.ts'
import { overlapEndMs } from '../../core/renewal/overlap.ts'
import { nameText } from '../../core/x509/name.ts'
import type { AdoptionPlan } from '../../hub/adopt.ts'
import type { Authority } from '../../hub/authority.ts'
import type { IdentityChange } from '../../hub/change-identity.ts'
import { requestEndsAtMs } from '../../hub/enrolment-approval.ts'
import type { AuditEntry } from '../../hub/ports/audit.ts'
import type { EnrolmentRequestRow } from '../../hub/ports/enrolment-requests.ts'
import type { RenewalContest } from '../../hub/ports/renewals.ts'
import type { RollOverStatus } from '../../hub/roll-over/status.ts'

export function deviceToView(identity: Identity): DeviceView {
  const { id, kind, state, group, version, createdAtMs, updatedAtMs } = identity
  return {
    id,
    kind,
    state,
    group,
    ...keptAbout(identity),
    version,
    createdAt: iso(createdAtMs),
    updatedAt: iso(updatedAtMs),
  }
}

export function identityToView(identity: Identity): IdentityView {
  const { id, kind, state, group, version, createdAtMs, updatedAtMs } = identity
  return {
    ...{ id, kind, state, group, version },
    ...keptAbout(identity),
    createdAt: iso(createdAtMs),
    updatedAt: iso(updatedAtMs),
  }
}

function keptAbout({ attributes, profiles, keyStorage, names: { dnsNames, ipAddresses, emails } }: Identity) {
  return {
    attributes: { ...attributes },
    profiles: [...profiles],
    dnsNames: [...dnsNames],
    ipAddresses: [...ipAddresses],
    emails: [...emails],
    keyStorage,
  }
}

export function enrolmentRequestToView(row: EnrolmentRequestRow): EnrolmentRequestView {
  const { id, identityId: device, profile, publicKeyHash, state, createdAtMs, decidedAtMs } = row
  return {
    id,
    device,
    profile,
    words: keyWords(publicKeyHash),
    publicKeyHash,
    state,
    requestedAt: iso(createdAtMs),
    decidedAt: decidedAtMs === null ? null : iso(decidedAtMs),
    endsAt: iso(requestEndsAtMs(row)),
  }
}

export function credentialToView(credential: Credential): CredentialView {
  return {
    serialNumber: credential.serialNumber,
    fingerprint: credential.fingerprint,
    deviceId: credential.identityId,
    authority: credential.authorityId,
    profile: credential.profile,
    state: credential.state,
    notBefore: iso(credential.notBeforeSec * 1000),
    notAfter: iso(credential.notAfterSec * 1000),
    issuedAt: iso(credential.issuedAtMs),
    activatedAt: isoOrNull(credential.activatedAtMs),
    parent: credential.parentSerial,
    supersededAt: isoOrNull(credential.supersededAtMs),
    overlapEndsAt: overlapEnd(credential),
    revokedAt: isoOrNull(credential.revokedAtMs),
    revocationReason: credential.revocationReason,
  }
}

export function contestToView({ atMs, parentSerial, rivalSerial, serialNumber }: RenewalContest): ContestView {
  return { at: iso(atMs), renewed: parentSerial, earlier: rivalSerial, later: serialNumber }
}

export function adoptionToView({ identity, target, credentials }: AdoptionPlan): AdoptionView {
  return {
    device: deviceToView(identity),
    becomes: target === null ? null : { state: target.state, group: target.group, ...keptAbout(target) },
    credentials: credentials.map(credentialToView),
  }
}

export function changeToView(change: IdentityChange): DeviceChangeView {
  return {
    device: deviceToView(change.identity),
    revoked: change.revoked.map((credential) => credential.serialNumber),
    tokensEnded: change.tokensEnded,
  }
}

export function authorityToView(authority: Authority): AuthorityView {
  const { id, role, chain, state, keyType, keyPlace, parentId, fields, fingerprint } = authority
  return {
    ...{ id, role, chain, state, keyType, keyPlace, parentId, fingerprint },
    subject: nameText(fields.subject),
    notBefore: iso(fields.notBeforeSec * 1000),
    notAfter: iso(fields.notAfterSec * 1000),
  }
}

export function rollOverToView(status: RollOverStatus): RollOverView {
  const { id, role, chain, state, isPaused, sharePercent, devices, acknowledged } = status
  return {
    ...{ id, role, chain, state, isPaused, sharePercent, devices, acknowledged },
    from: status.fromId,
    to: status.toId,
    unknown: [...status.unknown],
    startedAt: iso(status.startedAtMs),
    changedAt: iso(status.changedAtMs),
  }
}

export function auditEntryToView(entry: AuditEntry): AuditEntryView {
  const { number, atMs, actor, act, subject, before, after, hash } = entry
  return { number, at: iso(atMs), actor, act, subject, before, after, hash }
}

/** Certificates of strangers may carry any date; beyond what a Date holds, the end of its range is shown. */
export function iso(ms: number): string {
  return new Date(Math.min(Math.max(ms, -8.64e15), 8.64e15)).toISOString()
}

function overlapEnd({ state, supersededAtMs, notAfterSec }: Credential): string | null {
  return state !== 'superseded' || supersededAtMs === null ? null : iso(overlapEndMs({ supersededAtMs, notAfterSec }))
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : iso(ms)
}

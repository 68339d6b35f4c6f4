/** What a client is told about when to renew: the hub's answer in the shape of ACME's renewal information (RFC 9773 §4.2). */
import { HubError, quote } from '../core/errors.ts'
import type { Credential } from '../core/identity/credential.ts'
import type { Identity } from '../core/identity/identity.ts'
import type { Profile } from '../core/profile/profile.ts'
import { abilitiesOf } from '../core/renewal/abilities.ts'
import { parseRenewalCertificateId } from '../core/renewal/certificate-id.ts'
import { calledWindow, type RenewalWindow, renewalWindow } from '../core/renewal/window.ts'
import type { Authorities } from './authorities.ts'
import { type Clock, nowSec } from './ports/clock.ts'
import type { Store } from './ports/store.ts'
import { profileNamed } from './profiles.ts'

export interface RenewalInfoHub {
  readonly store: Pick<Store, 'credentials' | 'identities' | 'profiles' | 'renewals'>
  readonly clock: Clock
  readonly authorities: Pick<Authorities, 'byId'>
}

export interface RenewalInfo {
  readonly window: RenewalWindow
  /** When to ask again, in seconds: a minute to six hours. */
  readonly retryAfterSec: number
}

/** Answers within a fiftieth of a life, so that a call reaches short lives too, and never more often than RFC 9773 wants. */
const askedInLife = 50
const retryMinSec = 60
const retryMaxSec = 6 * 3_600

/**
 * The renewal window of a certificate that can be renewed. Nobody is asked who he is: whoever names a certificate whole has
 * seen it, and learns nothing but dates.
 *
 * @param text the certificate's name, as `formatRenewalCertificateId` writes it
 * @throws HubError `renewal-unknown`, also for one that is revoked, superseded or over
 */
export async function renewalInfo(hub: RenewalInfoHub, text: string): Promise<RenewalInfo> {
  const { store, clock } = hub
  const known = await findRenewable(hub, text)
  if (known === null) throw new HubError('renewal-unknown', `${quote(text)} names no certificate that could be renewed`)
  const { credential, identity, profile } = known
  const calledAtMs = await store.renewals.calledAtMs([
    { kind: 'identity', id: identity.id },
    { kind: 'authority', authorityId: credential.authorityId },
    ...(identity.group === null ? [] : [{ kind: 'group', group: identity.group } as const]),
  ])
  const isCalled = calledAtMs !== null && calledAtMs > credential.issuedAtMs
  const lifeSec = credential.notAfterSec - Math.floor(credential.issuedAtMs / 1000)
  return {
    window: isCalled ? calledWindow(nowSec(clock)) : renewalWindow(credential, profile.renewal.windowFrom),
    retryAfterSec: Math.min(retryMaxSec, Math.max(retryMinSec, Math.floor(lifeSec / askedInLife))),
  }
}

async function findRenewable(
  { store, clock, authorities }: RenewalInfoHub,
  text: string,
): Promise<{ readonly credential: Credential; readonly identity: Identity; readonly profile: Profile } | null> {
  const named = parseRenewalCertificateId(text)
  const credential = named === null ? null : await store.credentials.findBySerial(named.serialNumber)
  if (named === null || credential === null) return null
  const issuer = authorities.byId(credential.authorityId)?.fields.subjectKeyIdentifier ?? null
  if (issuer === null || Buffer.from(issuer).toString('hex') !== named.authorityKeyIdentifier) return null
  const identity = await store.identities.find(credential.identityId)
  const profile = await profileNamed(store, credential.profile)
  if (identity === null || profile === null || identity.state === 'retired') return null
  // What a newer one has taken the place of is not to be renewed, although it may be.
  if (credential.state === 'superseded') return null
  return abilitiesOf(credential, profile.renewal, clock.nowMs()).renew === 'no'
    ? null
    : { credential, identity, profile }
}

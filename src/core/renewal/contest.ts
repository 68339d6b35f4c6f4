/** Whether two keys ask to follow one credential. */
import type { Credential } from '../identity/credential.ts'

/** A child as far as it matters here. */
export type Child = Pick<Credential, 'state' | 'publicKeyHash' | 'activatedAtMs' | 'profile' | 'keyOrigin'>

/** What asks now. */
export type Claim = Pick<Child, 'publicKeyHash' | 'profile' | 'keyOrigin'>

/**
 * The children of a credential that another key than the one that asks waits to use, or has used: where there is one, the
 * renewal is contested, since the owner and a thief may both be renewing. Which of them asked first says nothing about who is
 * who, so nobody is refused for it.
 *
 * One key is no contest, whatever it asks for: a device that fell back to an older certificate, or lost its answer, asks
 * again with a key that it has shown before. Where the hub makes the keys, each answer has another one, so that an answer that
 * was lost is no contest either. A child that was revoked or has expired has nobody left who claims it.
 *
 * @param children of the credential that was shown
 * @returns those of them that contest, in their order
 */
export function claimants<C extends Child>(children: readonly C[], claim: Claim): readonly C[] {
  return children.filter(
    (child) =>
      claims.has(child.state) &&
      child.profile === claim.profile &&
      child.publicKeyHash !== claim.publicKeyHash &&
      !(child.activatedAtMs === null && child.keyOrigin === 'hub' && claim.keyOrigin === 'hub'),
  )
}

const claims: ReadonlySet<Credential['state']> = new Set(['pending', 'active', 'quarantined', 'superseded'])

/** The child that waits for its first use, or null: there is at most one of a profile. */
export function waitingChild<C extends Child>(children: readonly C[], profile: string): C | null {
  return (
    children.find(
      (child) =>
        (child.state === 'pending' || child.state === 'quarantined') &&
        child.activatedAtMs === null &&
        child.profile === profile,
    ) ?? null
  )
}

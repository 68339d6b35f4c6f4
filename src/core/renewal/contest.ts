/** Whether two keys ask to follow one credential. */
import type { Credential } from '../identity/credential.ts'

/** A child as far as it matters here. */
export type Child = Pick<Credential, 'state' | 'publicKeyHash' | 'activatedAtMs' | 'profile'>

/**
 * True when another key than the one that asks waits to follow the same credential, or has followed it already: its owner
 * and a thief may both be renewing. Which of them asked first says nothing about who is who, so nobody is refused for it.
 *
 * One key is no contest, whatever it asks for: a device that fell back to an older certificate, or lost its answer, asks
 * again with a key that it has shown before. A child that was revoked, expired or is gone has nobody left who claims it.
 *
 * @param children of the credential that was shown
 * @param publicKeyHash of the key that asks now
 */
export function isContested(children: readonly Child[], publicKeyHash: string, profile: string): boolean {
  return children.some(
    (child) => claims.has(child.state) && child.profile === profile && child.publicKeyHash !== publicKeyHash,
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

/** What is known of the roots that devices trust. */
import type { IdentityId } from '../../core/identity/id.ts'
import type { Authorities } from '../authorities.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store } from '../ports/store.ts'

/**
 * Notes that a device keeps these roots: it has said so over a connection that it verified with one of them.
 *
 * @param fingerprints SHA-256 in lower-case hexadecimal
 * @returns the fingerprints of those that the hub trusts
 */
export async function noteRoots(
  hub: { readonly store: Store; readonly clock: Clock; readonly authorities: Authorities },
  id: IdentityId,
  fingerprints: readonly string[],
): Promise<readonly string[]> {
  const known = hub.authorities.roots().filter(({ fingerprint }) => fingerprints.includes(fingerprint))
  const news: string[] = []
  for (const root of known) if (!(await hub.store.rollOvers.hasAcknowledged(root.id, id))) news.push(root.id)
  if (news.length > 0) {
    await hub.store.write(async (tx) => {
      for (const rootId of news) await tx.rollOvers.acknowledge(rootId, id, 'handshake', hub.clock.nowMs())
    })
  }
  return known.map(({ fingerprint }) => fingerprint)
}

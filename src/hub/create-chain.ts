/** Another hierarchy beside the main one: for devices that know other algorithms. */
import { HubError, quote } from '../core/errors.ts'
import type { AuthorityKeyType } from '../core/x509/authority-key.ts'
import { certificateFingerprint } from '../core/x509/certificate.ts'
import type { Authorities } from './authorities.ts'
import type { Authority } from './authority.ts'
import { type Making, makeChain } from './make-authorities.ts'

/**
 * Makes a root and an issuing authority below it, in use from now on. A crash leaves keys that nothing names.
 *
 * @throws HubError `chain-exists`
 */
export async function createChain(
  hub: Making & { readonly authorities: Authorities },
  actor: string,
  order: { readonly chain: string; readonly keyType: AuthorityKeyType },
): Promise<readonly Authority[]> {
  const assertFree = (rows: readonly { readonly chain: string }[]): void => {
    if (!rows.some(({ chain }) => chain === order.chain)) return
    throw new HubError('chain-exists', `there is a chain ${quote(order.chain)}`)
  }
  assertFree(hub.authorities.all())
  const made = await makeChain(hub, order)
  await hub.store.write(async (tx) => {
    assertFree(await tx.authorities.all())
    for (const row of made) {
      await tx.authorities.insert(row)
      await tx.events.append({ type: 'authority-changed', authorityId: row.id })
    }
    await tx.audit.append({
      atMs: hub.clock.nowMs(),
      actor,
      act: 'authority.create',
      subject: made.map(({ id }) => id).join(' '),
      before: null,
      after: made.map(({ id, keyType, certificate }) => ({
        id,
        keyType,
        fingerprint: certificateFingerprint(certificate),
      })),
    })
  })
  await hub.authorities.refresh()
  return hub.authorities.all().filter(({ chain }) => chain === order.chain)
}

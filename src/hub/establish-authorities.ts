/** The first authorities of a hub. */
import { HubError } from '../core/errors.ts'
import { certificateFingerprint } from '../core/x509/certificate.ts'
import { type Authorities, mainChain, openAuthorities } from './authorities.ts'
import { type Making, makeChain } from './make-authorities.ts'
import { nowSec } from './ports/clock.ts'

/**
 * The authorities of this registry; made when there are none yet. Key files come first and rows after, in one transaction, so
 * that a crash in between leaves at most a key that nothing names.
 *
 * @throws HubError `clock-before-authority`, `key-file-damaged`, `key-passphrase-wrong`
 */
export async function establishAuthorities(hub: Making): Promise<Authorities> {
  if ((await hub.store.authorities.all()).length === 0) await makeFirst(hub)
  const authorities = await openAuthorities(hub.store, hub.keys)
  const bornSec = authorities.firstRoot().fields.notBeforeSec
  if (nowSec(hub.clock) < bornSec) {
    const now = new Date(hub.clock.nowMs()).toISOString()
    throw new HubError(
      'clock-before-authority',
      `the clock says ${now}, but the root was made at ${new Date(bornSec * 1000).toISOString()}`,
    )
  }
  return authorities
}

async function makeFirst(hub: Making): Promise<void> {
  const made = await makeChain(hub, { chain: mainChain, keyType: 'P-256' })
  await hub.store.write(async (tx) => {
    // Another process of the same registry may have started at this moment; its authorities are the hub's then.
    if ((await tx.authorities.all()).length > 0) return
    for (const row of made) await tx.authorities.insert(row)
    await tx.audit.append({
      atMs: hub.clock.nowMs(),
      actor: 'hub',
      act: 'authority.create',
      subject: made.map((row) => row.id).join(' '),
      before: null,
      after: made.map((row) => ({ id: row.id, fingerprint: certificateFingerprint(row.certificate) })),
    })
  })
}

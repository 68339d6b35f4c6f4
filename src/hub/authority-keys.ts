/**
 * The key of a root that leaves the hub, and comes back for a ceremony. A root signs seldom: what is not here cannot be stolen
 * here. Everything below it goes on meanwhile.
 */
import { HubError, quote } from '../core/errors.ts'
import type { Secret } from '../core/secret.ts'
import type { Authorities } from './authorities.ts'
import type { Authority } from './authority.ts'
import type { AuthorityRow } from './ports/authorities.ts'
import type { Clock } from './ports/clock.ts'
import { fullCrl } from './ports/crls.ts'
import type { KeyStore } from './ports/signer.ts'
import type { Store, Transaction } from './ports/store.ts'
import { fullScope, offlineCrlLifetimeMs, publishCrl } from './publish-crl.ts'
import { openRollOver } from './roll-over/roll-over.ts'

export interface AuthorityKeyHub {
  readonly store: Store
  readonly keys: KeyStore
  readonly clock: Clock
  readonly authorities: Authorities
}

/** A private key in PEM, and what opens it. */
export interface KeptKey {
  readonly pem: Secret
  readonly passphrase: Secret
}

/**
 * The key of a root, encrypted, to be kept elsewhere. It stays here too.
 *
 * @returns PKCS#8 in PEM
 * @throws HubError `not-found`, `authority-key-needed`, `authority-key-offline`
 */
export async function exportAuthorityKey(
  hub: AuthorityKeyHub,
  actor: string,
  id: string,
  passphrase: Secret,
): Promise<string> {
  const root = rootNamed(hub.authorities, id)
  assertHere(root)
  const pem = await hub.keys.exportEncrypted(id, passphrase)
  await hub.store.write((tx) => audit(hub, tx, actor, 'authority.key-export', id, root.keyPlace, root.keyPlace))
  return pem
}

/**
 * Takes the key of a root out of the hub, after its copy was seen to open. Its last CRL is made to last until it is back.
 *
 * @throws HubError `not-found`, `authority-key-needed`, `authority-key-offline`, `roll-over-open`, `key-import-refused` where the
 *   copy does not open or is another key
 */
export async function removeAuthorityKey(
  hub: AuthorityKeyHub,
  actor: string,
  id: string,
  copy: KeptKey,
): Promise<Authority> {
  const root = rootNamed(hub.authorities, id)
  assertHere(root)
  await hub.keys.assertOpens(copy.pem, copy.passphrase, root.fields.publicKey)
  await publishCrl(hub, fullScope(id), () => false, offlineCrlLifetimeMs)
  await hub.store.write(async (tx) => {
    const row = await rowOf(tx, id)
    assertHere(row)
    await assertCrlLasts(hub, tx, id)
    // The change of an issuing authority has had what it needs from the root at its beginning.
    if (openRollOver(await tx.rollOvers.all(), row.chain)?.role === 'root') {
      throw new HubError('roll-over-open', `a roll-over of the chain ${quote(row.chain)} may need the key of ${id}`)
    }
    await move(hub, tx, actor, 'authority.key-remove', row, 'offline')
  })
  // Behind the commit: whoever dies here leaves a key that the next look at authorities removes.
  await hub.keys.remove(id)
  return changed(hub, id)
}

/**
 * Brings the key of a root back.
 *
 * @throws HubError `not-found`, `authority-key-needed`, `key-import-refused`; `authority-key-here` where it is here already
 */
export async function bringAuthorityKeyBack(
  hub: AuthorityKeyHub,
  actor: string,
  id: string,
  kept: KeptKey,
): Promise<Authority> {
  const root = rootNamed(hub.authorities, id)
  if (root.keyPlace === 'hub') throw new HubError('authority-key-here', `the key of ${id} is in the hub already`)
  await hub.keys.assertOpens(kept.pem, kept.passphrase, root.fields.publicKey)
  // What a removal left behind that died before its end.
  if (await hub.keys.has(id)) await hub.keys.remove(id)
  await hub.keys.importPem(id, kept.pem, kept.passphrase, root.fields.publicKey)
  await hub.store.write(async (tx) => move(hub, tx, actor, 'authority.key-import', await rowOf(tx, id), 'hub'))
  return changed(hub, id)
}

function rootNamed(authorities: Authorities, id: string): Authority {
  const found = authorities.byId(id)
  if (found === null) {
    throw new HubError('not-found', `there is no authority ${quote(id)}`, { hint: 'see them with `handfast ca list`' })
  }
  if (found.role === 'root') return found
  throw new HubError('authority-key-needed', `${id} is an issuing authority: it signs every day`)
}

function assertHere({ id, keyPlace }: Pick<AuthorityRow, 'id' | 'keyPlace'>): void {
  if (keyPlace === 'offline') throw new HubError('authority-key-offline', `the key of ${id} is not here`)
}

/** Another process may have made one of the usual kind since. @throws HubError `authority-key-needed` */
async function assertCrlLasts({ clock }: AuthorityKeyHub, tx: Transaction, id: string): Promise<void> {
  const head = await tx.crls.head(id, fullCrl)
  if (head !== null && head.nextUpdateMs > clock.nowMs() + offlineCrlLifetimeMs / 2) return
  throw new HubError('authority-key-needed', `the CRL of ${id} was made anew at this moment`, {
    hint: 'run the command again',
  })
}

async function rowOf(tx: Transaction, id: string): Promise<AuthorityRow> {
  const row = (await tx.authorities.all()).find((each) => each.id === id)
  if (row === undefined) throw new HubError('not-found', `there is no authority ${quote(id)}`)
  return row
}

async function move(
  hub: AuthorityKeyHub,
  tx: Transaction,
  actor: string,
  act: string,
  row: AuthorityRow,
  keyPlace: AuthorityRow['keyPlace'],
): Promise<void> {
  if (row.keyPlace === keyPlace) return
  await tx.authorities.update({ ...row, keyPlace })
  await tx.events.append({ type: 'authority-changed', authorityId: row.id })
  await audit(hub, tx, actor, act, row.id, row.keyPlace, keyPlace)
}

async function audit(
  hub: AuthorityKeyHub,
  tx: Transaction,
  actor: string,
  act: string,
  subject: string,
  before: AuthorityRow['keyPlace'],
  after: AuthorityRow['keyPlace'],
): Promise<void> {
  const atMs = hub.clock.nowMs()
  await tx.audit.append({ atMs, actor, act, subject, before: { keyPlace: before }, after: { keyPlace: after } })
}

async function changed(hub: AuthorityKeyHub, id: string): Promise<Authority> {
  await hub.authorities.refresh()
  return rootNamed(hub.authorities, id)
}

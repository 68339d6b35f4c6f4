/**
 * Trust anchors: authorities of others whose certificates are taken. One counts once it is proved that whoever brings it holds its
 * key, by a certificate for a code of ours; or an operator says that nothing is to be proved.
 */
import { HubError, quote } from '../core/errors.ts'
import { type AnchorState, isAnchorId, isIssuedBy, type RevocationBehaviour } from '../core/identification/anchor.ts'
import { dateRefusal } from '../core/identification/foreign-certificate.ts'
import { leafName } from '../core/identification/leaf-names.ts'
import type { RevocationSources } from '../core/identification/revocation-sources.ts'
import { limits } from '../core/limits.ts'
import { type CertificateFields, certificateFingerprint, readCertificate } from '../core/x509/certificate.ts'
import { nameText } from '../core/x509/name.ts'
import { encodePem } from '../core/x509/pem.ts'
import { arrangeAuthorities, signersOf } from './anchor-signers.ts'
import { assertSources, placeFetches } from './anchor-sources.ts'
import type { Authorities } from './authorities.ts'
import type { AnchorRow } from './ports/anchors.ts'
import { type Clock, nowSec } from './ports/clock.ts'
import type { Random } from './ports/random.ts'
import type { Store, Transaction } from './ports/store.ts'

interface Hub {
  readonly store: Pick<Store, 'write'>
  readonly clock: Clock
}

export interface AnchorOrder {
  readonly id: string
  /** DER: the authority, and behind it in any order those above it, up to the root, and those below it. */
  readonly certificates: readonly Uint8Array[]
  readonly revocation: RevocationBehaviour
  readonly sources: RevocationSources
  /** Whether it counts at once, without a proof. */
  readonly isUnproven: boolean
}

/** @throws HubError `anchor-unfit`, `anchor-exists`, `anchor-state`, `anchor-sources-invalid`, `certificate-unreadable` */
export async function addAnchor(
  hub: Hub & { readonly random: Random; readonly authorities: Pick<Authorities, 'all'> },
  actor: string,
  order: AnchorOrder,
): Promise<AnchorRow> {
  const [certificate] = order.certificates
  if (certificate === undefined) throw new HubError('anchor-unfit', 'there is no certificate')
  if (!isAnchorId(order.id)) {
    throw new HubError('anchor-unfit', `${quote(order.id)} is no id of a trust anchor`, {
      hint: 'take lower-case letters, digits and "-", the first a letter, 32 at most',
    })
  }
  assertSources(order.sources)
  const { above, below } = arrangeAuthorities(order.certificates, nowSec(hub.clock))
  const fingerprint = certificateFingerprint(certificate)
  if (hub.authorities.all().some((ours) => ours.fingerprint === fingerprint)) {
    throw new HubError('anchor-unfit', 'the certificate is that of an authority of this hub, which needs no anchor')
  }
  const code = order.isUnproven ? null : Buffer.from(hub.random.bytes(16)).toString('hex')
  return hub.store.write(async (tx) => {
    const nowMs = hub.clock.nowMs()
    const all = await tx.anchors.all()
    assertNew(all, order.id, fingerprint)
    if (all.length >= limits.anchorsMax)
      throw new HubError('anchor-state', `there are ${all.length} trust anchors already`)
    const row: AnchorRow = {
      ...{ id: order.id, fingerprint, code, revocation: order.revocation, sources: order.sources, certificate },
      ...{ state: code === null ? 'trusted' : 'waiting', createdAtMs: nowMs, changedAtMs: nowMs },
      ...{ above: pemOf(above), below: pemOf(below) },
    }
    await tx.anchors.insert(row)
    await placeFetches(tx, row, nowMs)
    await tellAnchor(tx, row, row.state)
    await audit(tx, { actor, nowMs, act: 'anchor.add', row, before: null })
    return row
  })
}

function assertNew(all: readonly AnchorRow[], id: string, fingerprint: string): void {
  const namesake = all.find((each) => each.id === id)
  const same = namesake ?? all.find((each) => each.fingerprint === fingerprint)
  if (same === undefined) return
  const isSame = same.fingerprint === fingerprint
  const what =
    namesake === undefined
      ? `the certificate is that of the trust anchor ${quote(same.id)}, which`
      : `the trust anchor ${quote(id)}`
  const but = isSame ? '' : ', with another certificate'
  throw new HubError('anchor-exists', `${what} is ${same.state}${but}`, {
    hint: isSame
      ? `see it with \`handfast anchor show ${same.id}\`, and change it with \`handfast anchor edit ${same.id}\``
      : 'take another id: an authority that has renewed its certificate is another trust anchor until the old one is gone',
  })
}

export function pemOf(certificates: readonly Uint8Array[]): string {
  return certificates.map((der) => encodePem('CERTIFICATE', der)).join('')
}

/**
 * @param certificate DER, signed by the authority, with the code as its common name
 * @throws HubError `anchor-not-found`, `anchor-state`, `anchor-proof-wrong`, `certificate-unreadable`
 */
export async function proveAnchor(hub: Hub, actor: string, id: string, certificate: Uint8Array): Promise<AnchorRow> {
  const fields = readCertificate(certificate)
  return hub.store.write(async (tx) => {
    const row = await foundAnchor(tx, id)
    if (row.state !== 'waiting' || row.code === null) {
      throw new HubError('anchor-state', `the trust anchor ${quote(id)} is ${row.state} and waits for no proof`, {
        hint:
          row.state === 'trusted'
            ? `there is nothing to do: its certificates count already; see \`handfast anchor show ${id}\``
            : `remove it, and add it again: \`handfast anchor remove ${id}\``,
      })
    }
    assertProof(row, row.code, fields, nowSec(hub.clock))
    return moved(tx, { actor, nowMs: hub.clock.nowMs(), act: 'anchor.prove', row, state: 'trusted' })
  })
}

function assertProof(row: AnchorRow, code: string, fields: CertificateFields, atSec: number): void {
  const anchor = readCertificate(row.certificate)
  const wrong = (sentence: string): HubError => new HubError('anchor-proof-wrong', sentence)
  if (!isIssuedBy(fields, anchor)) {
    const issuer = quote(nameText(fields.issuer))
    throw wrong(`the certificate was signed by ${issuer}, not with the key of ${quote(nameText(anchor.subject))}`)
  }
  const name = leafName({ fields, fingerprint: '' }, 'cn')
  if (name.kind !== 'one' || name.value !== code) {
    const found = name.kind === 'one' ? quote(name.value) : 'no one name'
    throw wrong(`the common name of the certificate is ${found}, not the code ${code}`)
  }
  if (dateRefusal(fields, atSec) !== null) throw wrong('the certificate is not good at this time')
}

/** Its certificates open nothing any more, and its sessions end. @throws HubError `anchor-not-found` */
export async function distrustAnchor(hub: Hub, actor: string, id: string): Promise<AnchorRow> {
  return hub.store.write(async (tx) => {
    const row = await foundAnchor(tx, id)
    if (row.state === 'distrusted') return row
    return moved(tx, { actor, nowMs: hub.clock.nowMs(), act: 'anchor.distrust', row, state: 'distrusted' })
  })
}

/** @returns what it was @throws HubError `anchor-not-found`, `anchor-state` where it is trusted */
export async function removeAnchor(hub: Hub, actor: string, id: string): Promise<AnchorRow> {
  return hub.store.write(async (tx) => {
    const row = await foundAnchor(tx, id)
    if (row.state === 'trusted') {
      throw new HubError('anchor-state', `the trust anchor ${quote(id)} is trusted`, {
        hint: `distrust it first, which ends its sessions: \`handfast anchor distrust ${id}\``,
      })
    }
    await tx.anchors.remove(id)
    await tellAnchor(tx, row, 'removed')
    const { fingerprint, state } = row
    const before = { fingerprint, state }
    await tx.audit.append({ atMs: hub.clock.nowMs(), actor, act: 'anchor.remove', subject: id, before, after: null })
    return row
  })
}

/** @throws HubError `anchor-not-found` */
export async function foundAnchor({ anchors }: Pick<Store | Transaction, 'anchors'>, id: string): Promise<AnchorRow> {
  const row = await anchors.find(id)
  if (row === null) throw new HubError('anchor-not-found', `there is no trust anchor ${quote(id)}`)
  return row
}

interface Entry {
  readonly actor: string
  readonly nowMs: number
  readonly act: string
  readonly row: AnchorRow
}

async function moved(
  tx: Transaction,
  { state, row: before, ...entry }: Entry & { readonly state: AnchorState },
): Promise<AnchorRow> {
  const row = { ...before, state, changedAtMs: entry.nowMs }
  await tx.anchors.update(row)
  await tellAnchor(tx, row, state)
  await audit(tx, { ...entry, row, before })
  return row
}

/** The journal learns what of it decides over access. */
export async function tellAnchor(tx: Transaction, row: AnchorRow, state: AnchorState | 'removed'): Promise<void> {
  const { id: anchorId, fingerprint, revocation } = row
  const signers = signersOf(row).map((signer) => signer.fingerprint)
  await tx.events.append({ type: 'anchor-changed', anchorId, fingerprint, state, terms: { revocation, signers } })
}

async function audit(tx: Transaction, entry: Entry & { readonly before: AnchorRow | null }): Promise<void> {
  const { actor, nowMs: atMs, act, row, before } = entry
  await tx.audit.append({
    ...{ atMs, actor, act, subject: row.id },
    before: before === null ? null : { state: before.state },
    after: {
      ...{ state: row.state, fingerprint: row.fingerprint, revocation: row.revocation },
      isProven: row.state === 'trusted' && row.code !== null,
    },
  })
}

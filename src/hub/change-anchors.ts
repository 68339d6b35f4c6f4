/**
 * Trust anchors: authorities of others whose certificates are taken. One counts once it is proved that whoever brings it holds its
 * key, by a certificate for a code of ours; or an operator says that nothing is to be proved.
 */
import { HubError, quote } from '../core/errors.ts'
import {
  type AnchorState,
  anchorFault,
  isAnchorId,
  isIssuedBy,
  type RevocationBehaviour,
} from '../core/identification/anchor.ts'
import { dateRefusal } from '../core/identification/foreign-certificate.ts'
import { leafName } from '../core/identification/leaf-names.ts'
import { limits } from '../core/limits.ts'
import { certificateFingerprint, readCertificate } from '../core/x509/certificate.ts'
import { readForeignCrl } from '../core/x509/foreign-crl.ts'
import { encodePem } from '../core/x509/pem.ts'
import type { Authorities } from './authorities.ts'
import type { AnchorCrlRow, AnchorRow } from './ports/anchors.ts'
import { type Clock, nowSec } from './ports/clock.ts'
import type { Random } from './ports/random.ts'
import type { Store, Transaction } from './ports/store.ts'

interface Hub {
  readonly store: Pick<Store, 'write'>
  readonly clock: Clock
}

export interface AnchorOrder {
  readonly id: string
  /** DER: the authority that signs, and those above it in their order, up to the root. */
  readonly certificates: readonly Uint8Array[]
  readonly revocation: RevocationBehaviour
  /** Whether it counts at once, without a proof. */
  readonly isUnproven: boolean
}

/** @throws HubError `anchor-unfit`, `anchor-exists`, `certificate-unreadable` */
export async function addAnchor(
  hub: Hub & { readonly random: Random; readonly authorities: Pick<Authorities, 'all'> },
  actor: string,
  order: AnchorOrder,
): Promise<AnchorRow> {
  const [certificate, ...above] = order.certificates
  if (certificate === undefined) throw new HubError('anchor-unfit', 'there is no certificate')
  if (!isAnchorId(order.id)) {
    throw new HubError('anchor-unfit', `${quote(order.id)} is no id of a trust anchor`, {
      hint: 'take lower-case letters, digits and "-", the first a letter, 32 at most',
    })
  }
  assertAuthorities(order.certificates, nowSec(hub.clock))
  const fingerprint = certificateFingerprint(certificate)
  if (hub.authorities.all().some((ours) => ours.fingerprint === fingerprint)) {
    throw new HubError('anchor-unfit', 'the certificate is that of an authority of this hub, which needs no anchor')
  }
  const code = order.isUnproven ? null : Buffer.from(hub.random.bytes(16)).toString('hex')
  return hub.store.write(async (tx) => {
    const nowMs = hub.clock.nowMs()
    const all = await tx.anchors.all()
    const same = all.find((each) => each.id === order.id || each.fingerprint === fingerprint)
    if (same !== undefined) {
      throw new HubError(
        'anchor-exists',
        `the trust anchor ${quote(same.id)} is ${same.state}, with ${same.fingerprint}`,
      )
    }
    if (all.length >= limits.anchorsMax)
      throw new HubError('anchor-state', `there are ${all.length} trust anchors already`)
    const row: AnchorRow = {
      ...{ id: order.id, fingerprint, code, revocation: order.revocation, certificate },
      ...{ state: code === null ? 'trusted' : 'waiting', createdAtMs: nowMs, changedAtMs: nowMs },
      above: above.map((der) => encodePem('CERTIFICATE', der)).join(''),
    }
    await tx.anchors.insert(row)
    await tell(tx, row, row.state)
    await audit(tx, { actor, nowMs, act: 'anchor.add', row, before: null })
    return row
  })
}

/** Each is an authority, within its dates, and signed by the one behind it; the last one signed itself. */
function assertAuthorities(certificates: readonly Uint8Array[], atSec: number): void {
  if (certificates.length > limits.anchorChainMax + 1) {
    throw new HubError('anchor-unfit', `there are ${certificates.length} certificates, and one chain has fewer`)
  }
  const chain = certificates.map((der) => readCertificate(der))
  for (const [index, fields] of chain.entries()) {
    const which = index === 0 ? 'the certificate' : `certificate ${index + 1}`
    const fault = anchorFault(fields)
    if (fault !== null) throw new HubError('anchor-unfit', `${which} ${fault}`)
    if (dateRefusal(fields, atSec) !== null) throw new HubError('anchor-unfit', `${which} is not good at this time`)
    const isLast = index === chain.length - 1
    if (isIssuedBy(fields, chain[index + 1] ?? fields)) continue
    throw new HubError(
      'anchor-unfit',
      isLast ? `${which} is not a root: those above it are missing` : `${which} was not signed by the one behind it`,
    )
  }
}

/**
 * @param certificate DER, signed by the authority, with the code as its common name
 * @throws HubError `anchor-not-found`, `anchor-state`, `anchor-proof-wrong`, `certificate-unreadable`
 */
export async function proveAnchor(hub: Hub, actor: string, id: string, certificate: Uint8Array): Promise<AnchorRow> {
  const fields = readCertificate(certificate)
  return hub.store.write(async (tx) => {
    const row = await foundAnchor(tx, id)
    if (row.state === 'trusted') return row
    if (row.state !== 'waiting' || row.code === null) {
      throw new HubError('anchor-state', `the trust anchor ${quote(id)} is ${row.state} and waits for no proof`)
    }
    if (!isIssuedBy(fields, readCertificate(row.certificate))) {
      throw new HubError('anchor-proof-wrong', `the certificate was not signed by the authority ${quote(id)}`)
    }
    const name = leafName({ fields, fingerprint: '' }, 'cn')
    if (name.kind !== 'one' || name.value !== row.code) {
      throw new HubError('anchor-proof-wrong', `the common name of the certificate is not the code ${row.code}`)
    }
    if (dateRefusal(fields, nowSec(hub.clock)) !== null) {
      throw new HubError('anchor-proof-wrong', 'the certificate is not good at this time')
    }
    return moved(tx, { actor, nowMs: hub.clock.nowMs(), act: 'anchor.prove', row, state: 'trusted' })
  })
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
    await tell(tx, row, 'removed')
    const { fingerprint, state } = row
    const before = { fingerprint, state }
    await tx.audit.append({ atMs: hub.clock.nowMs(), actor, act: 'anchor.remove', subject: id, before, after: null })
    return row
  })
}

/**
 * Takes the latest CRL of an authority. Sessions of those that it names end.
 *
 * @throws HubError `anchor-not-found`, `anchor-crl-unfit`, also for one that is older than the one there is
 */
export async function giveCrl(
  hub: Hub,
  actor: string,
  id: string,
  crl: Uint8Array,
): Promise<{ readonly row: AnchorRow; readonly crl: AnchorCrlRow }> {
  return hub.store.write(async (tx) => {
    const row = await foundAnchor(tx, id)
    const { thisUpdateSec, nextUpdateSec, serialNumbers } = readForeignCrl(
      crl,
      readCertificate(row.certificate),
      limits.anchorCrlBytesMax,
    )
    const nowMs = hub.clock.nowMs()
    const before = await tx.anchors.crl(id)
    if (before !== null && before.thisUpdateMs > thisUpdateSec * 1000) {
      throw new HubError(
        'anchor-crl-unfit',
        `the CRL is older than the one of ${iso(before.thisUpdateMs)} that is there`,
      )
    }
    if (thisUpdateSec * 1000 > nowMs) throw new HubError('anchor-crl-unfit', 'the CRL is from the future')
    if (nextUpdateSec * 1000 < nowMs) {
      throw new HubError('anchor-crl-unfit', `the next CRL was due at ${iso(nextUpdateSec * 1000)}: give that one`)
    }
    const given = { thisUpdateMs: thisUpdateSec * 1000, nextUpdateMs: nextUpdateSec * 1000, givenAtMs: nowMs }
    const crlRow = { anchorId: id, ...given, crl }
    await tx.anchors.saveCrl(crlRow)
    const { fingerprint, state } = row
    const crlThisUpdateMs = given.thisUpdateMs
    await tx.events.append({ type: 'anchor-changed', anchorId: id, fingerprint, state, crlThisUpdateMs })
    await tx.audit.append({
      ...{ atMs: nowMs, actor, act: 'anchor.crl', subject: id },
      before: before === null ? null : { thisUpdate: iso(before.thisUpdateMs) },
      after: { thisUpdate: iso(given.thisUpdateMs), nextUpdate: iso(given.nextUpdateMs), revoked: serialNumbers.size },
    })
    return { row, crl: crlRow }
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
  await tell(tx, row, state)
  await audit(tx, { ...entry, row, before })
  return row
}

async function tell(tx: Transaction, row: AnchorRow, state: AnchorState | 'removed'): Promise<void> {
  await tx.events.append({ type: 'anchor-changed', anchorId: row.id, fingerprint: row.fingerprint, state })
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

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

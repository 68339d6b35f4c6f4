/** Beginning to change an authority for another one. */
import { HubError, quote } from '../../core/errors.ts'
import type { AuthorityKeyType } from '../../core/x509/authority-key.ts'
import { certificateFingerprint } from '../../core/x509/certificate.ts'
import { Authority } from '../authority.ts'
import { type Making, makeCross, makeIssuing, makeRoot } from '../make-authorities.ts'
import type { AuthorityRow, CrossCertificate, RollOverRow } from '../ports/authorities.ts'
import type { Transaction } from '../ports/store.ts'
import { openRollOver, type RollOverHub } from './roll-over.ts'

export interface RollOverOrder {
  readonly role: AuthorityRow['role']
  readonly chain: string
  /** Of the new keys; null for those of the old ones. */
  readonly keyType: AuthorityKeyType | null
  /** Make everything, and show nothing until somebody resumes. */
  readonly isPaused: boolean
}

/** The share that the cut waits for when nobody says another. */
export const shareDefaultPercent = 98

/** What a roll-over brings. */
export interface Successor {
  readonly from: Pick<Authority, 'id'>
  readonly to: AuthorityRow
  readonly rows: readonly AuthorityRow[]
  readonly crosses: readonly CrossCertificate[]
}

/**
 * Makes the successor with its key and certificates; nobody sees it yet. A crash leaves keys that nothing names.
 *
 * @throws HubError `not-found` for a chain that there is not, `roll-over-open`, `authority-key-offline`,
 *   `roll-over-impossible` for a root that somebody else keeps
 */
export async function beginRollOver(
  hub: RollOverHub & Making,
  actor: string,
  order: RollOverOrder,
): Promise<RollOverRow> {
  assertNoneOpen(await hub.store.rollOvers.all(), order.chain)
  const successor = order.role === 'root' ? await newRoot(hub, order) : await newIssuing(hub, order)
  const row = await hub.store.write((tx) => takeUp(hub, tx, actor, order, successor))
  await hub.authorities.refresh()
  return row
}

/** Writes down a successor and the roll-over that it begins. */
export async function takeUp(
  hub: Making,
  tx: Transaction,
  actor: string,
  order: Omit<RollOverOrder, 'keyType'>,
  { from, to, rows, crosses }: Successor,
): Promise<RollOverRow> {
  assertNoneOpen(await tx.rollOvers.all(), order.chain)
  const current = (await tx.authorities.all()).find(({ id }) => id === from.id)
  if (current?.state !== 'active') throw new HubError('roll-over-open', `${quote(from.id)} is not in use any more`)
  const nowMs = hub.clock.nowMs()
  const row: RollOverRow = {
    id: Buffer.from(hub.random.bytes(8)).toString('hex'),
    role: order.role,
    chain: order.chain,
    fromId: from.id,
    toId: to.id,
    state: 'prepared',
    isPaused: order.isPaused,
    sharePercent: shareDefaultPercent,
    startedAtMs: nowMs,
    changedAtMs: nowMs,
  }
  for (const each of rows) {
    await tx.authorities.insert(each)
    await tx.events.append({ type: 'authority-changed', authorityId: each.id })
  }
  for (const each of crosses) await tx.authorities.insertCross(each)
  await tx.rollOvers.insert(row)
  await tx.audit.append({
    atMs: nowMs,
    actor,
    act: 'authority.rotate',
    subject: to.id,
    before: { id: from.id },
    after: {
      ...Object.fromEntries(rows.map(({ id, certificate }) => [id, certificateFingerprint(certificate)])),
      crossCertificates: crosses.map(({ fingerprint }) => fingerprint),
      isPaused: order.isPaused,
    },
  })
  return row
}

async function newIssuing(hub: RollOverHub & Making, { chain, keyType }: RollOverOrder): Promise<Successor> {
  const from = hub.authorities.issuing(chain)
  const parent = hub.authorities.root(chain)
  assertHere(parent)
  const to = await makeIssuing(hub, { chain, keyType: keyType ?? from.keyType, parent })
  return { from, to, rows: [to], crosses: [] }
}

/**
 * A root with the name of the one before, an issuing authority below it, and both ways between the roots (RFC 4210 §4.4): a
 * device that knows one of them verifies what stands below the other.
 */
async function newRoot(hub: RollOverHub & Making, { chain, keyType }: RollOverOrder): Promise<Successor> {
  const from = hub.authorities.root(chain)
  const issuing = hub.authorities.issuing(chain)
  assertHere(from)
  const to = await makeRoot(hub, { chain, keyType: keyType ?? from.keyType, name: from.fields.subject.der })
  const root = new Authority(to, await hub.keys.open(to.id))
  const below = await makeIssuing(hub, { chain, keyType: keyType ?? issuing.keyType, parent: root })
  const crosses = [await makeCross(hub, root, from), await makeCross(hub, from, root)]
  return { from, to, rows: [to, below], crosses }
}

function assertHere({ id, keyPlace }: Authority): void {
  if (keyPlace === 'hub') return
  throw new HubError('authority-key-offline', `the key of ${id} is not here, and it has to sign the successor`)
}

function assertNoneOpen(rows: readonly RollOverRow[], chain: string): void {
  const open = openRollOver(rows, chain)
  if (open === null) return
  throw new HubError('roll-over-open', `a roll-over of the chain ${quote(chain)} is ${open.state} already`)
}

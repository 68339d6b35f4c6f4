/** The steps of a replay that concern trust anchors: what was taken from them since the copy is taken again. */
import type { RevocationBehaviour } from '../core/identification/anchor.ts'
import { certificateFingerprint } from '../core/x509/certificate.ts'
import { decodePem } from '../core/x509/pem.ts'
import { pemOf, tellAnchor } from './change-anchors.ts'
import { type AnchorTerms, crlKey, type JournalFacts } from './journal-facts.ts'
import type { AnchorRow } from './ports/anchors.ts'
import type { Transaction } from './ports/store.ts'

type Facts = Pick<JournalFacts, 'anchorsDistrusted' | 'anchorCrls' | 'anchorTerms'>

export async function replayAnchors(tx: Transaction, facts: Facts, nowMs: number): Promise<void> {
  for (const anchor of await tx.anchors.all()) {
    await distrust(tx, facts, anchor, nowMs)
    await narrow(tx, facts, anchor.id, nowMs)
    await requireLostCrls(tx, facts, anchor.id, nowMs)
  }
}

/** An authority that lost its trust since has none; one that was removed is left to be removed again. */
async function distrust(tx: Transaction, facts: Facts, anchor: AnchorRow, nowMs: number): Promise<void> {
  if (anchor.state === 'distrusted' || !facts.anchorsDistrusted.has(anchor.fingerprint)) return
  const row = { ...anchor, state: 'distrusted', changedAtMs: nowMs } as const
  await tx.anchors.update(row)
  await tellAnchor(tx, row, 'distrusted')
  await audit(tx, nowMs, {
    act: 'anchor.distrust',
    id: row.id,
    before: { state: anchor.state },
    after: { state: row.state },
  })
}

const strictness: readonly RevocationBehaviour[] = ['ignore', 'prefer', 'require']

/** Revocations count no less than they did last, and an authority below it that was taken away is gone again. */
async function narrow(tx: Transaction, { anchorTerms }: Facts, id: string, nowMs: number): Promise<void> {
  const anchor = await tx.anchors.find(id)
  const terms = anchor === null ? undefined : anchorTerms.get(anchor.fingerprint)
  if (anchor === null || terms === undefined) return
  const isStricter = strictness.indexOf(terms.revocation) > strictness.indexOf(anchor.revocation)
  const below = keptBelow(anchor, terms)
  const revocation = isStricter ? terms.revocation : anchor.revocation
  if (revocation === anchor.revocation && below === anchor.below) return
  const row = { ...anchor, revocation, below, changedAtMs: nowMs }
  await tx.anchors.update(row)
  await tellAnchor(tx, row, row.state)
  const before = { revocation: anchor.revocation }
  await audit(tx, nowMs, { act: 'anchor.edit', id, before, after: { revocation, signers: terms.signers } })
}

function keptBelow({ below }: AnchorRow, { signers }: AnchorTerms): string {
  const all = decodePem(below).map(({ der }) => der)
  const kept = all.filter((der) => signers.includes(certificateFingerprint(der)))
  return kept.length === all.length ? below : pemOf(kept)
}

/** A CRL that was given since is lost, and with it what it revoked: nobody whom it was about comes in until it is there again. */
async function requireLostCrls(tx: Transaction, { anchorCrls }: Facts, id: string, nowMs: number): Promise<void> {
  const anchor = await tx.anchors.find(id)
  if (anchor === null || anchor.revocation === 'ignore') return
  const known = anchorCrls.get(anchor.fingerprint) ?? new Map<string, number>()
  const held = new Map((await tx.anchors.crlHeads(id)).map((head) => [crlKey(head.issuer, head.part), head]))
  const lost = [...known].filter(([key, madeMs]) => (held.get(key)?.thisUpdateMs ?? 0) < madeMs)
  if (lost.length === 0) return
  for (const [key] of lost) {
    const head = held.get(key)
    if (head !== undefined) await tx.anchors.removeCrl(head)
  }
  await tx.anchors.update({ ...anchor, revocation: 'require', changedAtMs: nowMs })
  // Where it can be fetched it is wanted at once.
  for (const fetch of await tx.anchors.fetches(id)) await tx.anchors.saveFetch({ ...fetch, dueAtMs: nowMs })
  const { revocation } = anchor
  await audit(tx, nowMs, {
    act: 'anchor.crl',
    id,
    before: { revocation },
    after: { revocation: 'require', thisUpdate: null },
  })
}

async function audit(
  tx: Transaction,
  atMs: number,
  entry: { readonly act: string; readonly id: string; readonly before: object; readonly after: object },
): Promise<void> {
  const { act, id, before, after } = entry
  await tx.audit.append({ atMs, actor: 'journal', act, subject: id, before, after })
}

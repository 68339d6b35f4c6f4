/**
 * The audit log as a chain: each entry carries a hash of itself and of the hash before it, so that an entry that is changed,
 * left out or put in later breaks every hash after it. Whoever keeps a hash elsewhere can prove what stood before it.
 */
import { hash } from 'node:crypto'

/** Lower-case hexadecimal SHA-256, 64 characters. */
export type AuditHash = string

/** The hash before the first entry. */
export const auditChainStart: AuditHash = '0'.repeat(64)

/** What of an entry is hashed: all of it. */
export interface ChainedEntry {
  readonly number: number
  readonly atMs: number
  readonly actor: string
  readonly act: string
  readonly subject: string
  readonly before: unknown
  readonly after: unknown
}

/**
 * The hash of an entry: SHA-256 over the hash before it, as text, a line feed and the entry as a JSON array in UTF-8. The
 * order of names in `before` and `after` counts, as it stands in the JSON text.
 */
export function auditHash(previous: AuditHash, entry: ChainedEntry): AuditHash {
  return hash('sha256', `${previous}\n${auditText(entry)}`, 'hex')
}

/** The text of an entry that is hashed: a JSON array. */
export function auditText({ number, atMs, actor, act, subject, before, after }: ChainedEntry): string {
  return JSON.stringify([number, atMs, actor, act, subject, before ?? null, after ?? null])
}

/** The first entry that does not continue the chain, or null when all do. Entries are ascending and `previous` stands before them. */
export function firstBreak<Entry extends ChainedEntry & { readonly hash: AuditHash }>(
  previous: { readonly number: number; readonly hash: AuditHash },
  entries: readonly Entry[],
): Entry | null {
  let last: { readonly number: number; readonly hash: AuditHash } = previous
  for (const entry of entries) {
    if (entry.number !== last.number + 1 || entry.hash !== auditHash(last.hash, entry)) return entry
    last = entry
  }
  return null
}

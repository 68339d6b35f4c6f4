import type { AuditHash } from '../../core/audit/chain.ts'

/** An act that matters for security, as it is handed in. */
export interface NewAuditEntry {
  readonly atMs: number
  /** Who did it: `key:<name>`, `device:<id>`, `hub`. */
  readonly actor: string
  /** What was done: `identity.register`, `credential.revoke`, … */
  readonly act: string
  /** What it was done to: an identity id, a serial number, a name. */
  readonly subject: string
  /** The subject before and after, as JSON values; null where there was nothing. Never a secret. */
  readonly before: unknown
  readonly after: unknown
}

/** The same with its place in the chain. */
export interface AuditEntry extends NewAuditEntry {
  /** Counted from 1 without gaps, in the order of commits. */
  readonly number: number
  /** `auditHash` of this entry and of the hash before it. */
  readonly hash: AuditHash
}

/** The newest entry of the chain: who keeps it elsewhere can tell later whether anything before it was changed. */
export interface AuditHead {
  /** 0 for an empty log. */
  readonly number: number
  readonly hash: AuditHash
}

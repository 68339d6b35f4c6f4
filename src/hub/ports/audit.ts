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

/** The same with its number, counted from 1. */
export interface AuditEntry extends NewAuditEntry {
  readonly number: number
}

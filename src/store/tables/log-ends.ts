import type { AuditHead } from '../../hub/ports/audit.ts'

/**
 * Where events and audit log end inside the open transaction. Nobody else writes meanwhile, so what one unit has read or
 * appended the next one need not read again. A unit works on a copy, which counts when the unit has succeeded.
 */
export interface LogEnds {
  /** The number of the last event; null while it has not been read. */
  event: number | null
  /** The last audit entry; null while it has not been read. */
  audit: AuditHead | null
}

export const unreadEnds: Readonly<LogEnds> = { event: null, audit: null }

/** What is known about one failure; the entries stand in `entries/`, one file for each stage group. */
import type { TlsAlert } from './tls-alerts.ts'
import type { FailureKind } from './wire-forms.ts'

/** How far a device had come. The first eight are stages of a connection, in order. */
export type Stage =
  | 'dns'
  | 'tcp'
  | 'tls'
  | 'certificate'
  | 'identity'
  | 'policy'
  | 'mqtt'
  | 'session'
  | 'enrolment'
  | 'api'
  | 'hub'

/** Who can mend it. */
export type Owner = 'device' | 'hub' | 'operator' | 'network' | 'attacker'

/**
 * How much a refused client is told. It depends on what the client proved: a stranger gets a general sentence, the
 * holder of a revoked or disabled credential that word alone, everyone else the cause in full.
 */
export type Disclosure = 'general' | 'revoked' | 'disabled' | 'cause'

export interface Failure {
  readonly id: `HF-${number}`
  readonly stage: Stage
  readonly owner: Owner
  readonly kind: FailureKind
  readonly told: Disclosure
  readonly cause: string
  readonly cure: string
  /** Where a standard says what should have been, as in "RFC 5280 §4.2.1.12"; null where none does. */
  readonly clause: string | null
  /**
   * The alert by which TLS says this (RFC 8446 §6.2): that of the client where it refuses the hub, that of a server which refuses
   * the client in the handshake where it is the client's fault. Null where TLS has no word for it. The gate judges after the
   * handshake and sends none of them; they are how the same cause looks at other servers, and in the logs of clients.
   */
  readonly alert: TlsAlert | null
}

/** What the standards say of a failure. */
export type Standing = Partial<Pick<Failure, 'clause' | 'alert'>>

/** One entry of the catalogue. */
export function entry(
  id: Failure['id'],
  stage: Stage,
  owner: Owner,
  kind: FailureKind,
  told: Disclosure,
  cause: string,
  cure: string,
  { clause = null, alert = null }: Standing = {},
): Failure {
  return { id, stage, owner, kind, told, cause, cure, clause, alert }
}

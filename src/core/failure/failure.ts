/** What is known about one failure; the entries stand in `entries/`, one file for each stage group. */
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
}

/** One entry of the catalogue. */
export function entry(
  id: Failure['id'],
  stage: Stage,
  owner: Owner,
  kind: FailureKind,
  told: Disclosure,
  cause: string,
  cure: string,
): Failure {
  return { id, stage, owner, kind, told, cause, cure }
}

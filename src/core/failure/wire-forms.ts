/**
 * How a failure shows on each wire. Every failure belongs to one kind; the table below is total over the kinds, so a
 * new kind does not compile until each front end has an answer for it.
 */

/** What sort of answer a failure is, independent of the protocol that carries it. */
export type FailureKind =
  | 'unauthenticated'
  | 'bad-password'
  | 'forbidden'
  | 'unavailable'
  | 'waits'
  | 'malformed'
  | 'invalid'
  | 'not-found'
  | 'conflict'
  | 'too-many'
  | 'too-large'
  | 'header-too-large'
  | 'media-type'
  | 'method'
  | 'late'
  | 'unconditional'
  | 'outdated'
  | 'contradiction'
  | 'identifier'
  | 'version'
  | 'local'
  | 'internal'

export interface WireForm {
  /** CONNACK return code of MQTT 3.1.1 (§3.2.2.3), 1 to 5. */
  readonly connackV3: 1 | 2 | 3 | 4 | 5
  /** Reason code of MQTT 5 (§2.4) for CONNACK and DISCONNECT, 0x80 or above. */
  readonly reasonV5: number
  /** HTTP status of an API problem or an EST answer. */
  readonly http: number
  /** Exit status of the command line, 1 to 7; see docs/failures.md. */
  readonly exit: ExitStatus
}

/** Exit statuses of every command. */
export const exitStatus = {
  ok: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  notFound: 4,
  conflict: 5,
  unavailable: 6,
  local: 7,
} as const
export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus]

export const wireForms: Readonly<Record<FailureKind, WireForm>> = {
  unauthenticated: { connackV3: 5, reasonV5: 0x87, http: 401, exit: exitStatus.refused },
  'bad-password': { connackV3: 4, reasonV5: 0x86, http: 401, exit: exitStatus.refused },
  forbidden: { connackV3: 5, reasonV5: 0x87, http: 403, exit: exitStatus.refused },
  unavailable: { connackV3: 3, reasonV5: 0x88, http: 503, exit: exitStatus.unavailable },
  // Taken and not decided yet: to EST an answer, to whoever waits for a certificate none.
  waits: { connackV3: 3, reasonV5: 0x88, http: 202, exit: exitStatus.unavailable },
  malformed: { connackV3: 5, reasonV5: 0x81, http: 400, exit: exitStatus.usage },
  invalid: { connackV3: 5, reasonV5: 0x82, http: 400, exit: exitStatus.usage },
  'not-found': { connackV3: 5, reasonV5: 0x87, http: 404, exit: exitStatus.notFound },
  conflict: { connackV3: 5, reasonV5: 0x87, http: 409, exit: exitStatus.conflict },
  'too-many': { connackV3: 3, reasonV5: 0x97, http: 429, exit: exitStatus.unavailable },
  'too-large': { connackV3: 5, reasonV5: 0x95, http: 413, exit: exitStatus.usage },
  'header-too-large': { connackV3: 5, reasonV5: 0x95, http: 431, exit: exitStatus.usage },
  'media-type': { connackV3: 5, reasonV5: 0x83, http: 415, exit: exitStatus.usage },
  method: { connackV3: 5, reasonV5: 0x83, http: 405, exit: exitStatus.usage },
  late: { connackV3: 3, reasonV5: 0x80, http: 408, exit: exitStatus.unavailable },
  unconditional: { connackV3: 5, reasonV5: 0x83, http: 428, exit: exitStatus.usage },
  outdated: { connackV3: 5, reasonV5: 0x83, http: 412, exit: exitStatus.conflict },
  contradiction: { connackV3: 5, reasonV5: 0x83, http: 422, exit: exitStatus.conflict },
  identifier: { connackV3: 2, reasonV5: 0x85, http: 400, exit: exitStatus.usage },
  version: { connackV3: 1, reasonV5: 0x84, http: 505, exit: exitStatus.failed },
  local: { connackV3: 3, reasonV5: 0x80, http: 500, exit: exitStatus.local },
  internal: { connackV3: 3, reasonV5: 0x80, http: 500, exit: exitStatus.failed },
}

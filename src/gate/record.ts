/** Turns what is known about a connection into the attempts that the registry keeps. */

import { failure } from '../core/failure/catalogue.ts'
import type { Stage } from '../core/failure/failure.ts'
import { limits } from '../core/limits.ts'
import type { CertificateSummary } from '../core/x509/certificate-summary.ts'
import type { NewAttempt } from '../hub/ports/attempts.ts'
import type { Ending, GateContext } from './options.ts'

/** Grows as the connection comes along. */
export interface Known {
  readonly address: string
  tlsVersion: string | null
  certificate: CertificateSummary | null
  identityId: string | null
  clientId: string | null
  mqttVersion: NewAttempt['mqttVersion']
}

export function knownOf(address: string): Known {
  return { address, tlsVersion: null, certificate: null, identityId: null, clientId: null, mqttVersion: null }
}

type RecordContext = Pick<GateContext, 'listener' | 'clock' | 'attempts'>

export function recordRefusal(context: RecordContext, known: Known, ending: Ending): void {
  const { stage } = failure(ending.code)
  record(context, known, { outcome: 'refused', stage, code: ending.code, sentence: ending.sentence })
}

/** The end of a session that had begun: whatever the cause, it came as far as a session. */
export function recordClosing(context: RecordContext, known: Known, ending: Ending): void {
  record(context, known, { outcome: 'refused', stage: 'session', code: ending.code, sentence: ending.sentence })
}

/** @param otherPlace where else the certificate is in use, where that tells of a copy; null where it does not */
export function recordAdmission(context: RecordContext, known: Known, otherPlace: string | null): void {
  const { identityId, certificate } = known
  const sentence = `${identityId} connected with ${certificate === null ? 'a password' : described(certificate)}`
  const admitted = { outcome: 'admitted', stage: 'session' } as const
  if (otherPlace === null) record(context, known, { ...admitted, code: null, sentence })
  else {
    const also = `the same certificate is in use from ${otherPlace}`
    record(context, known, { ...admitted, code: 'certificate-in-two-places', sentence: `${sentence}; ${also}` })
  }
}

function described({ serialNumber, notAfterSec }: CertificateSummary): string {
  const until = new Date(notAfterSec * 1000).toISOString().replace('.000', '')
  return `certificate ${serialNumber.slice(0, 8)}…, valid until ${until}`
}

type Outcome = Pick<NewAttempt, 'outcome' | 'code' | 'sentence'> & { readonly stage: Stage }

function record({ attempts, clock, listener }: RecordContext, known: Known, outcome: Outcome): void {
  // A refused client may have sent an id of any length that fits a CONNECT.
  const clientId = known.clientId === null ? null : known.clientId.slice(0, limits.clientIdBytesMax)
  attempts.record({ atMs: clock.nowMs(), listener: listener.name, ...known, clientId, ...outcome })
}

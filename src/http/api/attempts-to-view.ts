/** Attempts, cases and incidents as the admin API answers them. */

import type { CaseView, IncidentView } from '../../api-schema/cases.ts'
import type { AttemptView } from '../../api-schema/views.ts'
import { explainAtOnce } from '../../core/failure/at-once.ts'
import { failure } from '../../core/failure/catalogue.ts'
import type { CertificateSummary } from '../../core/x509/certificate-summary.ts'
import type { Attempt } from '../../hub/ports/attempts.ts'
import type { AttemptCase } from '../../hub/ports/cases.ts'
import type { Incident } from '../../hub/ports/incidents.ts'
import { iso } from './to-view.ts'

export function attemptToView(attempt: Attempt): AttemptView {
  const entry = attempt.code === null ? null : failure(attempt.code)
  return {
    number: attempt.number,
    at: iso(attempt.atMs),
    listener: attempt.listener,
    address: attempt.address,
    stage: attempt.stage,
    outcome: attempt.outcome,
    code: attempt.code,
    failureId: entry?.id ?? null,
    sentence: attempt.sentence,
    cure: entry?.cure ?? null,
    deviceId: attempt.identityId,
    clientId: attempt.clientId,
    tlsVersion: attempt.tlsVersion,
    mqttVersion: attempt.mqttVersion,
    certificate: summaryToView(attempt.certificate),
  }
}

export function caseToView({ code, party, issuer, count, firstAtMs, admittedAtMs, last }: AttemptCase): CaseView {
  const { id, cure } = failure(code)
  return {
    listener: last.listener,
    code,
    failureId: id,
    issuer,
    party: party.kind,
    name: party.name,
    count,
    firstAt: iso(firstAtMs),
    lastAt: iso(last.atMs),
    admittedAt: admittedAtMs === null ? null : iso(admittedAtMs),
    stage: last.stage,
    sentence: last.sentence,
    cure,
    address: last.address,
    deviceId: last.identityId,
    clientId: last.clientId,
    tlsVersion: last.tlsVersion,
    mqttVersion: last.mqttVersion,
    certificate: summaryToView(last.certificate),
  }
}

export function incidentToView(incident: Incident): IncidentView {
  const { number, code, listener, issuer, parties, isSudden, examples, beganAtMs, lastAtMs, endedAtMs } = incident
  return {
    ...{ number, listener, code, issuer, isSudden },
    ...parties,
    failureId: failure(code).id,
    examples: [...examples],
    ...explainAtOnce(incident),
    beganAt: iso(beganAtMs),
    lastAt: iso(lastAtMs),
    endedAt: endedAtMs === null ? null : iso(endedAtMs),
  }
}

function summaryToView(certificate: CertificateSummary | null): AttemptView['certificate'] {
  if (certificate === null) return null
  const { fingerprint, serialNumber, subject, issuer, notBeforeSec, notAfterSec } = certificate
  return {
    ...{ fingerprint, serialNumber, subject, issuer },
    notBefore: iso(notBeforeSec * 1000),
    notAfter: iso(notAfterSec * 1000),
  }
}

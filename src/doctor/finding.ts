/** What the doctor says of one thing that it was shown: what it read in it, what is wrong, and what to do. */
import { type FailureName, failure } from '../core/failure/catalogue.ts'

/** `fault` keeps a device out or lets a stranger in; `warning` will; `note` is worth knowing. */
export type Severity = 'fault' | 'warning' | 'note'

/** `certain` where what was seen has no other cause; `likely` where others are rare; `possible` where several are as good. */
export type Certainty = 'certain' | 'likely' | 'possible'

/** One cause, what shows it, and what to do. */
export interface Finding {
  readonly code: FailureName
  readonly severity: Severity
  readonly certainty: Certainty
  /** The file, address or line that it is about, as the person named it. */
  readonly subject: string
  /** What was seen, one sentence without a full stop; foreign values are quoted, and none is secret. */
  readonly evidence: string
  /** What to do, one sentence without a full stop, in the names of this case. */
  readonly cure: string
}

/** Something that was read, right or wrong: "key", "RSA 2048 in PKCS#8, encrypted". */
export interface Fact {
  readonly name: string
  readonly value: string
}

/** What came of looking at one thing. */
export interface Examination {
  readonly subject: string
  readonly facts: readonly Fact[]
  /** The gravest first; empty where nothing is wrong. */
  readonly findings: readonly Finding[]
}

/** What a finding says beside its code; the rest comes from the catalogue. */
export interface FindingDetail {
  readonly severity?: Severity
  readonly certainty?: Certainty
  readonly evidence?: string
  readonly cure?: string
}

/** A finding; without more it is a certain fault in the words of the catalogue. */
export function finding(code: FailureName, subject: string, detail: FindingDetail = {}): Finding {
  return {
    code,
    severity: detail.severity ?? 'fault',
    certainty: detail.certainty ?? 'certain',
    subject,
    evidence: detail.evidence ?? failure(code).cause,
    cure: detail.cure ?? failure(code).cure,
  }
}

const severities: readonly Severity[] = ['fault', 'warning', 'note']
const certainties: readonly Certainty[] = ['certain', 'likely', 'possible']

/** Findings with the gravest first, the surer first among equals, else in the order they came. */
export function gravestFirst(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted(
    (one, other) =>
      severities.indexOf(one.severity) - severities.indexOf(other.severity) ||
      certainties.indexOf(one.certainty) - certainties.indexOf(other.certainty),
  )
}

/** Whether something was found that keeps a device out or lets a stranger in. */
export function hasFault(examinations: readonly Examination[]): boolean {
  return examinations.some(({ findings }) => findings.some(({ severity }) => severity === 'fault'))
}

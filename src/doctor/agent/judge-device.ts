/**
 * What is wrong with a device that has an agent, from what was seen on it: its store, its clock, its renewals, its hub, and what
 * the hub says of it. Looking is done before; here it is judged.
 */
import { type FailureName, isFailureName } from '../../core/failure/catalogue.ts'
import { limits } from '../../core/limits.ts'
import { type Examination, type Fact, type Finding, finding, gravestFirst } from '../finding.ts'
import { printableText, shellPath } from '../printable-text.ts'
import { spanText, timeText } from '../span.ts'

/** A failure as it was caught or remembered. */
export interface SeenFailure {
  readonly code: string
  readonly message: string
  readonly hint: string
}

export interface SeenRenewal {
  /** `good`, `due`, `ended` or `not-yet-good`. */
  readonly state: string
  /** ISO 8601, as all times here. */
  readonly dueAt: string
  readonly failures: number
  readonly lastTryAt: string | null
  readonly lastFailure: SeenFailure | null
  readonly isNextWaiting: boolean
  readonly isHookOwed: boolean
}

export interface SeenVerdict {
  readonly outcome: 'admitted' | 'refused'
  readonly code: string | null
  readonly sentence: string | null
}

export interface SeenAttempt extends SeenVerdict {
  readonly at: string
  readonly listener: string
  readonly stage: string
}

export interface SeenDevice {
  /** Folder of the store, as the person named it. */
  readonly dir: string
  readonly id: string | null
  readonly nowMs: number
  /** The latest time that is known to have been; null where none is. */
  readonly lastGoodTimeMs: number | null
  readonly isClockWrong: boolean
  readonly renewal: SeenRenewal
  /** `host:port` of the EST listener; null where the certificate is none of a hub's. */
  readonly hub: string | null
  /** Why the hub could not be asked; null where it was, or was not to be. */
  readonly hubFailure: SeenFailure | null
  /** The time of the hub, in milliseconds since the epoch, and how long its answer took; null where it said none. */
  readonly hubTime: { readonly ms: number; readonly tookMs: number } | null
  /** Null where the hub tells no story. */
  readonly story: { readonly verdict: SeenVerdict; readonly attempts: readonly SeenAttempt[] } | null
}

export function judgeDevice(device: SeenDevice): readonly Examination[] {
  return [clockExamination(device), renewalExamination(device), ...hubExaminations(device)]
}

/** The same with the id of the device in the commands of its cures, where the device knows its id. */
export function namingDevice(examinations: readonly Examination[], id: string | null): readonly Examination[] {
  if (id === null) return examinations
  const named = (each: Finding): Finding => ({ ...each, cure: each.cure.replaceAll('<id>', () => shellPath(id)) })
  return examinations.map((each) => ({ ...each, findings: each.findings.map(named) }))
}

function clockExamination({ dir, nowMs, lastGoodTimeMs, isClockWrong, hubTime }: SeenDevice): Examination {
  const facts: Fact[] = [{ name: 'this clock', value: timeOf(nowMs) }]
  if (lastGoodTimeMs !== null) facts.push({ name: 'has been', value: timeOf(lastGoodTimeMs) })
  const findings: Finding[] = []
  if (isClockWrong && lastGoodTimeMs !== null) {
    const evidence = `it says ${timeOf(nowMs)}, and it has been ${timeOf(lastGoodTimeMs)} already`
    findings.push(finding('agent-clock-wrong', dir, { evidence }))
  }
  if (hubTime !== null) {
    facts.push({ name: 'clock of the hub', value: timeOf(hubTime.ms) })
    const apartSec = Math.max(0, Math.abs(nowMs - hubTime.ms) - hubTime.tookMs) / 1000
    if (apartSec > limits.doctorClockSkewSecMax) {
      const which = nowMs < hubTime.ms ? 'behind' : 'ahead of'
      const evidence = `this clock says ${timeOf(nowMs)}, that is ${spanText(apartSec)} ${which} that of the hub, ${timeOf(hubTime.ms)}`
      findings.push(finding('device-clock-apart', dir, { severity: 'warning', evidence }))
    }
  }
  return { subject: `${dir}: clock`, facts, findings: gravestFirst(findings) }
}

function renewalExamination({ dir, id, renewal }: SeenDevice): Examination {
  const { state, dueAt, failures, lastTryAt, lastFailure, isNextWaiting, isHookOwed } = renewal
  const findings: Finding[] = []
  if (lastFailure !== null) {
    const code: FailureName = isFailureName(lastFailure.code) ? lastFailure.code : 'hub-answer-unexpected'
    const evidence = `${failures} ${failures === 1 ? 'try' : 'tries'} to renew failed, the last at ${lastTryAt ?? 'an unknown time'}: ${printableText(lastFailure.message)}`
    const severity = state === 'ended' ? 'fault' : 'warning'
    findings.push(finding(code, dir, { severity, evidence, cure: printableText(lastFailure.hint) }))
  }
  if (isHookOwed) {
    const evidence = 'the last renewal succeeded, and its hook has not yet'
    findings.push(finding('agent-hook-failed', dir, { severity: 'warning', evidence }))
  }
  return {
    subject: `${dir}: renewal`,
    facts: [
      { name: 'id', value: id ?? 'not one of a hub' },
      { name: 'certificate', value: state },
      { name: 'renewal', value: `due ${dueAt}${isNextWaiting ? '; the next certificate waits for its proof' : ''}` },
    ],
    findings: gravestFirst(findings),
  }
}

function hubExaminations({ dir, hub, hubFailure, story }: SeenDevice): readonly Examination[] {
  if (hub === null) return []
  const subject = `${hub}: what the hub says of this device`
  if (hubFailure !== null) {
    const code: FailureName = isFailureName(hubFailure.code) ? hubFailure.code : 'hub-answer-unexpected'
    const detail = { evidence: printableText(hubFailure.message), cure: printableText(hubFailure.hint) }
    return [{ subject, facts: [], findings: [finding(code, hub, detail)] }]
  }
  if (story === null)
    return [{ subject, facts: [{ name: 'attempts', value: 'this hub tells nothing of them' }], findings: [] }]
  const { verdict, attempts } = story
  const facts = [
    {
      name: 'now',
      value: verdict.outcome === 'admitted' ? 'this certificate is let in' : `refused: ${verdict.sentence}`,
    },
    ...attempts.slice(0, shownMax).map((each) => ({ name: each.at, value: attemptText(each) })),
  ]
  return [{ subject, facts, findings: storyFindings(dir, verdict, attempts) }]
}

/** Attempts that are shown of those that the hub tells. */
const shownMax = 5

function storyFindings(dir: string, verdict: SeenVerdict, attempts: readonly SeenAttempt[]): readonly Finding[] {
  if (verdict.outcome === 'refused') {
    const code = codeOf(verdict)
    return [
      finding(code, dir, {
        evidence: `the hub does not let this certificate in: ${verdict.sentence ?? 'it does not say why'}`,
      }),
    ]
  }
  // What was refused before it was let in again is over.
  const [last] = attempts
  if (last === undefined || last.outcome === 'admitted') return []
  const evidence = `its last attempt, at ${last.at} on ${last.listener}, was refused: ${last.sentence ?? 'the hub does not say why'}`
  return [finding(codeOf(last), dir, { severity: 'warning', certainty: 'likely', evidence })]
}

function codeOf({ code, sentence }: SeenVerdict): FailureName {
  if (code !== null && isFailureName(code)) return code
  // The words that stand alone for whoever has no right to more.
  if (sentence === 'revoked') return 'certificate-revoked'
  return sentence === 'disabled' ? 'identity-disabled' : 'broker-refused-unexplained'
}

function attemptText({ listener, outcome, stage, sentence }: SeenAttempt): string {
  return outcome === 'admitted'
    ? `${listener}: let in`
    : `${listener}: refused at ${stage}: ${sentence ?? 'no reason told'}`
}

function timeOf(ms: number): string {
  return timeText(Math.floor(ms / 1000))
}

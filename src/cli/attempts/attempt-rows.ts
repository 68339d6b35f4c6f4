/** Attempts as a terminal shows them: one row each, and below it why it failed and what to do. */
import type { AttemptView } from '../../api-schema/views.ts'
import { asTyped } from '../how-called.ts'
import { columnsOf, printLine, printRow, shortTime } from '../output.ts'

/** An attempt, and how often it came in a row. */
export interface Repeated {
  readonly attempt: AttemptView
  readonly times: number
}

export function once(attempt: AttemptView): Repeated {
  return { attempt, times: 1 }
}

/** Of attempts that follow each other and differ in time and port alone, the last. */
export function withoutRepeats(attempts: readonly AttemptView[]): readonly Repeated[] {
  const kept: Repeated[] = []
  for (const attempt of attempts) {
    const before = kept.at(-1)
    if (before !== undefined && likenessOf(before.attempt) === likenessOf(attempt)) {
      kept[kept.length - 1] = { attempt, times: before.times + 1 }
    } else {
      kept.push(once(attempt))
    }
  }
  return kept
}

function likenessOf(attempt: AttemptView): string {
  const { listener, address, code, sentence, clientId } = attempt
  return JSON.stringify([listener, address.replace(/:[0-9]+$/, ''), whoOf(attempt), clientId, code, sentence])
}

function whoOf({ deviceId, certificate }: AttemptView): string {
  return deviceId ?? certificate?.subject ?? '-'
}

interface Row {
  readonly cells: readonly string[]
  /** Sentence and cure below it. */
  readonly lines: readonly string[]
}

function rowOf({ attempt, times }: Repeated): Row {
  const { code, sentence, cure, deviceId } = attempt
  const what = `${outcomeOf(attempt)}${times === 1 ? '' : ` (×${times})`}`
  return {
    cells: [shortTime(attempt.at), whoOf(attempt), attempt.clientId ?? '-', attempt.address, what],
    lines: code === null ? [] : [sentence, ...(cure === null ? [] : [`→ ${asTyped(cure, deviceId)}`])],
  }
}

/** Failures of the session that keep it from beginning; the others end one. */
const refusalsOfSessions: ReadonlySet<string> = new Set(['too-many-sessions', 'upstream-refused'])
/** Failures that end nothing: a packet was not let through. */
const denials: ReadonlySet<string> = new Set(['publish-denied', 'subscribe-denied'])

/** How it came out, as in `refused at certificate: HF-2108 certificate-revoked`. */
export function outcomeOf({ code, failureId, stage }: Pick<AttemptView, 'code' | 'failureId' | 'stage'>): string {
  if (code === null) return 'admitted'
  const name = `${failureId} ${code}`
  if (denials.has(code)) return `denied: ${name}`
  if (stage === 'session' && !refusalsOfSessions.has(code)) return `closed: ${name}`
  return `refused at ${stage}: ${name}`
}

/**
 * Prints attempts in columns.
 *
 * @param before widths of what stands above, which stay
 * @returns the widths for what comes below
 */
export function printAttempts(attempts: readonly Repeated[], before: readonly number[] = []): readonly number[] {
  const rows = attempts.map(rowOf)
  const widths = columnsOf(
    rows.map(({ cells }) => cells),
    before,
  )
  for (const { cells, lines } of rows) {
    printRow(cells, widths)
    for (const line of lines) printLine(`    ${line}`)
  }
  return widths
}

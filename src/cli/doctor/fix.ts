/** `handfast doctor --fix`: shows what can be mended in files, and does it where that was agreed to. */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { HubError, quote } from '../../core/errors.ts'
import { lookAt } from '../../doctor/files/examine-files.ts'
import { applyMendings } from '../../doctor/files/mend/apply.ts'
import { plannedMendings } from '../../doctor/files/mend/plan.ts'
import { type Unmended, unmendedKeys } from '../../doctor/files/mend/unmended.ts'
import { asTyped } from '../how-called.ts'
import { printLine } from '../output.ts'
import type { DoctorOptions } from './examine.ts'
import { questions } from './files.ts'

/** What is shown of a change; nothing of what stands in the file. */
export interface ToldMending {
  readonly path: string
  readonly what: readonly string[]
  readonly isDone: boolean
  /** Where the file lies as it was. */
  readonly kept: string | null
}

export interface ToldMendings {
  readonly mendings: readonly ToldMending[]
  /** What is left for a person to decide. */
  readonly unmended: readonly Unmended[]
}

/**
 * @param isAgreed whether it is done, not only shown
 * @throws HubError `usage`; `files-unwritable`
 */
export function fixFiles(paths: readonly string[], options: DoctorOptions, isAgreed: boolean): ToldMendings {
  const store = paths.find((path) => existsSync(join(path, 'slots')))
  if (store !== undefined) {
    throw new HubError('usage', `${quote(store)} is a credential store, whose files are not mended one by one`, {
      hint: `look at it with \`handfast agent doctor --dir ${store}\`; opening it puts its modes in order`,
    })
  }
  const looked = questions(paths, options).map((question) => ({ question, at: lookAt(question) }))
  const planned = looked.flatMap(({ question, at }) => plannedMendings(question, at, randomBytes))
  const unmended = looked.flatMap(({ question, at }) => unmendedKeys(question, at))
  if (!isAgreed) {
    return { mendings: planned.map(({ path, what }) => ({ path, what, isDone: false, kept: null })), unmended }
  }
  const mended = applyMendings(planned, () => randomBytes(6).toString('hex'))
  return { mendings: mended.map((each) => ({ ...each, isDone: true })), unmended }
}

export function printMendings({ mendings, unmended }: ToldMendings): void {
  printLine()
  if (mendings.length > 0) printDone(mendings)
  else if (unmended.length === 0) printLine('There is nothing to mend that needs no decision of yours.')
  if (unmended.length > 0) printLine('Not to be mended without a decision of yours:')
  for (const { path, why, cure } of unmended) {
    printLine(`  ${path} ${why}`)
    printLine(`    → ${asTyped(cure)}`)
  }
}

function printDone(mendings: readonly ToldMending[]): void {
  const isDone = mendings.some((each) => each.isDone)
  printLine(isDone ? 'Mended:' : 'To be mended (nothing is changed yet; add --yes to do it):')
  for (const { path, what, kept } of mendings) {
    for (const each of what) printLine(`  ${path} ${each}`)
    if (kept !== null) printLine(`    as it was: ${kept}`)
  }
}

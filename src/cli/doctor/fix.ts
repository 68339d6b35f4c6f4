/** `handfast doctor --fix`: shows what can be mended in files, and does it where that was agreed to. */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { HubError, quote } from '../../core/errors.ts'
import { lookAt } from '../../doctor/files/examine-files.ts'
import { applyMendings } from '../../doctor/files/mend/apply.ts'
import { plannedMendings } from '../../doctor/files/mend/plan.ts'
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

/**
 * @param isAgreed whether it is done, not only shown
 * @throws HubError `usage`; `files-unwritable`
 */
export function fixFiles(paths: readonly string[], options: DoctorOptions, isAgreed: boolean): readonly ToldMending[] {
  const store = paths.find((path) => existsSync(join(path, 'slots')))
  if (store !== undefined) {
    throw new HubError('usage', `${quote(store)} is a credential store, whose files are not mended one by one`, {
      hint: `look at it with \`handfast agent doctor --dir ${store}\`; opening it puts its modes in order`,
    })
  }
  const planned = questions(paths, options).flatMap((each) => plannedMendings(each, lookAt(each), randomBytes))
  if (!isAgreed) return planned.map(({ path, what }) => ({ path, what, isDone: false, kept: null }))
  return applyMendings(planned, () => randomBytes(6).toString('hex')).map((each) => ({ ...each, isDone: true }))
}

export function printMendings(mendings: readonly ToldMending[]): void {
  printLine()
  if (mendings.length === 0) {
    printLine('There is nothing to mend that needs no decision of yours.')
    return
  }
  const isDone = mendings.some((each) => each.isDone)
  printLine(isDone ? 'Mended:' : 'To be mended (nothing is changed yet; add --yes to do it):')
  for (const { path, what, kept } of mendings) {
    for (const each of what) printLine(`  ${path} ${each}`)
    if (kept !== null) printLine(`    as it was: ${kept}`)
  }
}

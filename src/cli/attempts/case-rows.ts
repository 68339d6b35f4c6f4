/** Cases as a terminal shows them: who, how often and since when, and below it why and what to do. */
import type { CaseView } from '../../api-schema/cases.ts'
import { asTyped } from '../how-called.ts'
import { columnsOf, printLine, printRow, shortTime } from '../output.ts'
import { outcomeOf } from './attempt-rows.ts'

/** @param cases those that were refused last come last */
export function printCases(cases: readonly CaseView[]): void {
  const rows = cases.map((each) => [
    shortTime(each.lastAt),
    whoOf(each),
    each.listener,
    `×${each.count.toLocaleString('en')} since ${shortTime(each.firstAt)}`,
    outcomeOf(each),
  ])
  const widths = columnsOf(rows)
  for (const [n, each] of cases.entries()) {
    printRow(rows[n] ?? [], widths)
    printLine(`    ${each.sentence}`)
    if (each.admittedAt !== null) printLine(`    let in since, at ${shortTime(each.admittedAt)}`)
    else printLine(`    → ${asTyped(each.cure, each.deviceId)}`)
  }
}

function whoOf({ party, name, certificate }: CaseView): string {
  return party === 'certificate' ? `${certificate?.subject || 'a certificate'} (${name.slice(0, 16)}…)` : name
}

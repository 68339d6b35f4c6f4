/** How a person reads what the doctor found: what was read, then each finding with what shows it and what to do. */
import { failure } from '../../core/failure/catalogue.ts'
import type { Examination, Finding } from '../../doctor/finding.ts'
import { asTyped } from '../how-called.ts'
import { printFields, printLine } from '../output.ts'
import { printable } from '../printable.ts'

/** Columns of text before a line goes on in the next. */
const columns = 110

export function printExaminations(examinations: readonly Examination[]): void {
  for (const [index, { subject, facts, findings }] of examinations.entries()) {
    if (index > 0) printLine()
    printLine(shown(subject))
    if (facts.length > 0) {
      printFields(
        facts.map(({ name, value }) => [`  ${shown(name)}`, shown(value)] as const),
        columns,
      )
    }
    for (const each of findings) printFinding(each, subject)
    if (findings.length === 0) printLine('  nothing is wrong with it')
  }
}

function printFinding({ code, severity, certainty, subject, evidence, cure }: Finding, of: string): void {
  const doubt = certainty === 'certain' ? '' : ` (${certainty})`
  const where = subject === of ? '' : ` ${shown(subject)}`
  printLine(`  ${severity}${doubt}: ${failure(code).id} ${code}${where}`)
  printLine(`    ${shown(evidence)}`)
  printLine(`    → ${shown(asTyped(cure))}`)
}

/** Names in certificates, files and answers are those of strangers: what would steer a terminal is escaped. */
function shown(text: string): string {
  return printable(text).replaceAll('\n', ' ')
}

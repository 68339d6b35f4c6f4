/** What a check of a registry has found, for people and for programs. */
import { printLine, printTable } from './output.ts'
import { amount } from './summary.ts'

/** As `checkRegistry` answers it. */
interface Report {
  readonly rules: readonly { readonly name: string; readonly reason: string; readonly problems: number }[]
  readonly leftOut: readonly string[]
  readonly findings: readonly { readonly rule: string; readonly subject: string; readonly sentence: string }[]
  readonly identities: number
  readonly credentials: number
  readonly intents: number
}

export function reportOf(report: Report): Report {
  const { rules, leftOut, findings, identities, credentials, intents } = report
  return { identities, credentials, intents, rules, leftOut, findings }
}

export function problemsIn({ rules }: Report): number {
  return rules.reduce((sum, { problems }) => sum + problems, 0)
}

export function printFindings(report: Report): void {
  const { rules, leftOut, findings, credentials } = report
  const problems = problemsIn(report)
  if (problems === 0) printLine(`${amount(rules.length, 'rule')} hold, for ${amount(credentials, 'certificate')}`)
  else {
    printTable(
      ['RULE', 'SUBJECT', 'PROBLEM'],
      findings.map(({ rule, subject, sentence }) => [rule, subject, sentence]),
    )
    for (const { name, reason, problems: count } of rules.filter((rule) => rule.problems > 0)) {
      printLine(`${name}: ${amount(count, 'problem')}; ${reason}`)
    }
  }
  if (leftOut.length > 0) printLine(`left out for lack of the passphrase: ${leftOut.join(', ')}`)
}

/** `handfast ca audit`: looks again at everything that was ever issued, while the hub runs or not. */
import type { Command } from 'commander'
import { HubError } from '../../../core/errors.ts'
import { limits } from '../../../core/limits.ts'
import { printFindings, problemsIn, reportOf } from '../../check-report.ts'
import { printJson, printLine } from '../../output.ts'
import { addPlaceOptions, type PlaceOptions, placeOf } from '../../place-options.ts'
import { amount } from '../../summary.ts'

export function defineAudit(command: Command): void {
  addPlaceOptions(command, false).action(async (options: PlaceOptions) => {
    const config = placeOf(options)
    const { auditAuthorities } = await import('../../../compose/backup.ts')
    const report = await auditAuthorities(config)
    if (options.json) printJson(reportOf(report))
    else {
      printFindings(report)
      if (report.intents > 0) {
        const { intents } = report
        printLine(
          `${amount(intents, 'certificate')} about to be signed and not completed; revoked ${limits.intentLapsesMs / 60_000} minutes after their beginning`,
        )
      }
    }
    const problems = problemsIn(report)
    if (problems > 0) {
      throw new HubError('registry-inconsistent', `what was issued has ${amount(problems, 'problem')}`)
    }
  })
}

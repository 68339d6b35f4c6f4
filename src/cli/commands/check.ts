/** `handfast check`: whether the whole registry is consistent in itself, while the hub runs or not. */
import type { Command } from 'commander'
import { HubError } from '../../core/errors.ts'
import { printFindings, problemsIn, reportOf } from '../check-report.ts'
import { printJson } from '../output.ts'
import { addPlaceOptions, type PlaceOptions, placeOf } from '../place-options.ts'
import { amount } from '../summary.ts'

export function define(command: Command): void {
  addPlaceOptions(command, false).action(async (options: PlaceOptions) => {
    const config = placeOf(options)
    const { checkLive } = await import('../../compose/backup.ts')
    const report = await checkLive(config)
    if (options.json) printJson(reportOf(report))
    else printFindings(report)
    const problems = problemsIn(report)
    if (problems > 0) throw new HubError('registry-inconsistent', `the registry has ${amount(problems, 'problem')}`)
  })
}

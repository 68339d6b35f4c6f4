/** `handfast incidents`: one cause that keeps several from connecting, and whose it probably is. */
import type { Command } from 'commander'
import type { IncidentView } from '../../api-schema/cases.ts'
import { limits } from '../../core/limits.ts'
import { newest } from '../attempts/newest.ts'
import { asTyped, handfast } from '../how-called.ts'
import { addHubOptions, type HubOptions, hubOf } from '../hub-options.ts'
import { note, printJson, printLine, shortTime } from '../output.ts'
import { pastTime, wholeNumber } from '../values.ts'

interface IncidentOptions extends HubOptions {
  readonly since?: string
  readonly limit?: number
}

const shownDefault = 20

export function define(command: Command): void {
  addHubOptions(command)
    .option(
      '--since <time>',
      'also those that ended in the last while, as in 2h, or since 2026-11-25T08:00:00Z',
      pastTime('--since'),
    )
    .option('--limit <n>', `the newest n (default ${shownDefault})`, wholeNumber('--limit', 1, limits.pageRowsMax))
    .action(async (options: IncidentOptions) => {
      // None has ended that is still to come.
      const endedFrom = options.since ?? '9999-12-31T23:59:59Z'
      const count = options.limit ?? shownDefault
      const page = await newest<IncidentView>(hubOf(options), '/incidents', { endedFrom }, count)
      if (options.json) return printJson(page)
      for (const incident of [...page.items].reverse()) print(incident)
      if (page.items.length === 0) note('No incidents.')
    })
}

function print(incident: IncidentView): void {
  const { beganAt, endedAt, sentence, failureId, code, likelihood, owner, cure, examples, listener } = incident
  const until = endedAt === null ? '' : ` until ${shortTime(endedAt)}`
  printLine(`since ${shortTime(beganAt)}${until}  ${failureId} ${code}`)
  printLine(`    ${sentence}`)
  printLine(`    probably the ${owner}: ${likelihood}`)
  printLine(`    → ${asTyped(cure)}`)
  printLine(`    among them ${examples.join(', ')}`)
  printLine(`    all of them: ${handfast} attempts --cases --listener ${listener} --cause ${code}`)
}

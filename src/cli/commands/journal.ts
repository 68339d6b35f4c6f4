/** `handfast journal`: what the journal holds and whether it is whole; `journal new`: another one in place of a lost one. */
import type { Command } from 'commander'
import { printFields, printJson, printLine, shortTime } from '../output.ts'
import { addPlaceOptions, type PlaceOptions, placeOf } from '../place-options.ts'
import { amount, byteText } from '../summary.ts'

export function define(command: Command): void {
  addPlaceOptions(command, true).action(async (options: PlaceOptions) => {
    const { describeJournal } = await import('../../compose/journal.ts')
    const found = await describeJournal(placeOf(options))
    if (options.json) return printJson(found)
    printFields([
      ['folder', found.folder],
      ['journal', `${found.id} of the hub with root ${found.hub}`],
      ['holds', `${amount(found.entries, 'event')}, ${found.firstEvent} to ${found.lastEvent}`],
      ['since', found.since === null ? '-' : shortTime(found.since)],
      ['size', `${byteText(found.bytes)} in ${amount(found.files, 'file')}`],
    ])
    printLine('every line continues the chain')
  })
  const begin = command
    .command('new')
    .description('begin another journal in place of one that is lost; the hub must not run')
  addPlaceOptions(begin, true).action(async (own: PlaceOptions) => {
    const options = { ...command.opts(), ...own }
    const { beginNewJournal } = await import('../../compose/journal.ts')
    await beginNewJournal(placeOf(options))
    if (options.json) return printJson({ begun: true })
    printLine(
      'the next start begins another journal; backups from before it can only be restored with --accept-unknown',
    )
  })
}

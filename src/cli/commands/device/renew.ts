/** `handfast device renew`: renewal windows that lie ahead are over. */
import type { Command } from 'commander'
import type { RenewalCallView } from '../../../api-schema/renewals.ts'
import { HubError } from '../../../core/errors.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../../hub-options.ts'
import { note, printJson, printLine, shortTime } from '../../output.ts'

interface RenewOptions extends HubOptions {
  readonly group?: string
  readonly authority?: string
}

export function defineRenew(command: Command): void {
  addHubOptions(command)
    .requiredOption('--now', 'certificates that are there now are due at once')
    .option('--group <group>', 'those of the devices of a group')
    .option('--authority <id>', 'all that an authority has signed')
    .action(async (id: string | undefined, options: RenewOptions) => {
      const { path, request } = callOf(id, options)
      const view = await hubOf(options).post<RenewalCallView>(path, request)
      if (options.json) return printJson(view)
      printLine(`${view.called}: certificates issued before ${shortTime(view.issuedBefore)} are due`)
      note('Devices hear of it when they ask for their renewal information next.')
    })
}

function callOf(id: string | undefined, { group, authority }: RenewOptions): { path: string; request: object } {
  const named = [id, group, authority].filter((each) => each !== undefined)
  if (named.length !== 1) {
    throw new HubError('usage', 'name a device, a group or an authority, and only one of them', {
      hint: 'as in `handfast device renew --now pump-7` or `handfast device renew --now --group line-2`',
    })
  }
  if (id !== undefined) return { path: `/devices/${pathPart(id)}/renew`, request: {} }
  return { path: '/renewals', request: group === undefined ? { authority } : { group } }
}

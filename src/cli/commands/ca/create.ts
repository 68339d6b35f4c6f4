/** `handfast ca create`: another hierarchy, for devices that know other algorithms. */
import type { Command } from 'commander'
import type { AuthorityListView } from '../../../api-schema/authority-views.ts'
import { type AuthorityKeyType, authorityKeyTypes } from '../../../core/x509/authority-key.ts'
import { addHubOptions, type HubOptions, hubOf } from '../../hub-options.ts'
import { note, printJson } from '../../output.ts'
import { oneOf } from '../../values.ts'
import { printAuthorities } from './list.ts'

interface CreateOptions extends HubOptions {
  readonly chain: string
  readonly keyType?: AuthorityKeyType
}

export function defineCreate(command: Command): void {
  addHubOptions(command)
    .requiredOption('--chain <name>', 'its name, as in rsa')
    .option(
      '--key-type <type>',
      `of both keys: ${authorityKeyTypes.join(', ')}`,
      oneOf('--key-type', authorityKeyTypes),
    )
    .action(async ({ chain, keyType, ...options }: CreateOptions) => {
      const request = { chain, ...(keyType === undefined ? {} : { keyType }) }
      const view = await hubOf(options).post<AuthorityListView>('/authorities', request)
      if (options.json) return printJson(view)
      printAuthorities(view.items)
      note('Issue from it with --chain. Its root stands in the ca.pem of the hub from now on.')
    })
}

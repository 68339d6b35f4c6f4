/** `handfast service …`: brokers and other servers. */
import type { Command } from 'commander'
import type { IdentityView, RegisterIdentityRequest } from '../../api-schema/identities.ts'
import { handfast } from '../how-called.ts'
import { addHubOptions, type HubOptions, hubOf } from '../hub-options.ts'
import { note, printJson, printLine, shellWord } from '../output.ts'
import { collectAttribute, collected } from '../values.ts'
import { defineChanges } from './identity/change.ts'
import { service } from './identity/kind.ts'
import { defineList, defineShow, namesText } from './identity/list.ts'
import { defineSet } from './identity/set.ts'

interface AddOptions extends HubOptions {
  readonly name?: readonly string[]
  readonly ip?: readonly string[]
  readonly profile?: readonly string[]
  readonly group?: string
  readonly attr?: Readonly<Record<string, string>>
}

export function define(command: Command): void {
  // Without a subcommand the failure is reported; the whole help would bury it.
  command.configureOutput({ writeErr: () => {} })
  addHubOptions(command.command('add <id>').description('register a service with its names'))
    .option('--name <dns>', 'DNS name, may be repeated', collected)
    .option('--ip <address>', 'IP address, may be repeated', collected)
    .option('--profile <name>', 'profile that it is granted, may be repeated (default server)', collected)
    .option('--group <group>', 'group of the service')
    .option('--attr <name=value>', 'attribute, may be repeated', collectAttribute)
    .addHelpText('after', '\n`handfast cert issue` registers a service by itself.')
    .action(addService)
  defineList(command.command('list').description('list services'), service)
  defineShow(command.command('show <id>').description('show a service and its certificates'), service)
  defineSet(command.command('set <id>').description('edit names, profiles, group and attributes of a service'), service)
  defineChanges(command, service)
}

async function addService(id: string, options: AddOptions): Promise<void> {
  const { name = [], ip = [], profile, group, attr } = options
  const request: RegisterIdentityRequest = {
    id,
    dnsNames: [...name],
    ipAddresses: [...ip],
    ...(profile === undefined ? {} : { profiles: [...profile] }),
    ...(group === undefined ? {} : { group }),
    ...(attr === undefined ? {} : { attributes: { ...attr } }),
  }
  const view = await hubOf(options).post<IdentityView>('/services', request)
  if (options.json) return printJson(view)
  printLine(`${view.id} is registered, with the names ${namesText(view)}`)
  note(`Next:\n  ${handfast} cert issue --id ${shellWord(view.id)}`)
}

/** `handfast user …`: people, with a phone or a laptop. */
import type { Command } from 'commander'
import type { IdentityView, RegisterIdentityRequest } from '../../api-schema/identities.ts'
import { addHubOptions, type HubOptions, hubOf } from '../hub-options.ts'
import {
  addFileOptions,
  addOrderOptions,
  type FileOptions,
  type OrderOptions,
  orderedJson,
  orderForNew,
  prepareFiles,
} from '../order-certificate.ts'
import { note, printJson, printLine } from '../output.ts'
import { collectAttribute, collected } from '../values.ts'
import { printOrdered } from './cert/issue.ts'
import { defineChanges } from './identity/change.ts'
import { user } from './identity/kind.ts'
import { defineList, defineShow } from './identity/list.ts'
import { defineSet } from './identity/set.ts'
import { defineRoles } from './user/roles.ts'

interface AddOptions extends HubOptions, OrderOptions, FileOptions {
  readonly email: readonly string[]
  readonly group?: string
  readonly attr?: Readonly<Record<string, string>>
}

export function define(command: Command): void {
  // Without a subcommand the failure is reported; the whole help would bury it.
  command.configureOutput({ writeErr: () => {} })
  const add = addHubOptions(
    command.command('add <id>').description('register a person and make a certificate as a PFX'),
  )
    .requiredOption('--email <address>', 'e-mail address, may be repeated', collected)
    .option('--group <group>', 'group of the person')
    .option('--attr <name=value>', 'attribute, may be repeated', collectAttribute)
  addFileOptions(addOrderOptions(add), 'pfx').addHelpText('after', help).action(addUser)
  defineList(command.command('list').description('list people'), user)
  defineShow(command.command('show <id>').description('show a person and their certificates'), user)
  defineSet(command.command('set <id>').description('edit addresses, profiles, group and attributes of a person'), user)
  defineChanges(command, user)
  defineRoles(command)
}

const help = `
The PFX goes to the phone or laptop, its passphrase by another way. The key is made
here and is nowhere else: keep the PFX no longer than it takes to hand it over.
Another certificate for the same person: \`handfast cert issue --profile user --id <id>\`.`

async function addUser(id: string, options: AddOptions): Promise<void> {
  const files = await prepareFiles(id, options, 'pfx')
  const hub = hubOf(options)
  const request: RegisterIdentityRequest = {
    id,
    emails: [...options.email],
    ...(options.group === undefined ? {} : { group: options.group }),
    ...(options.attr === undefined ? {} : { attributes: { ...options.attr } }),
  }
  await hub.post<IdentityView>('/users', request)
  const ordered = await orderForNew('a person', hub, { id, profile: 'user' }, options, files)
  if (options.json) return printJson(orderedJson(ordered))
  printLine(`${id} is registered`)
  printOrdered(ordered)
  if (ordered.newPassphrase !== null) note('\nThe passphrase is shown once.')
}

/** `handfast profile …`: what certificates are made from. */
import type { Command } from 'commander'
import { defineAdd, defineRemove, defineSet } from './profile/change.ts'
import { defineList, defineShow } from './profile/list.ts'

export function define(command: Command): void {
  // Without a subcommand the failure is reported; the whole help would bury it.
  command.configureOutput({ writeErr: () => {} })
  defineList(command.command('list').description('list the profiles that can be granted'))
  defineShow(command.command('show <name>').description('show a profile: what it says, and who decides what'))
  defineAdd(command.command('add <file>').description('add a profile from a file of JSON, "-" for standard input'))
  defineSet(command.command('set <file>').description('change the profile that a file of JSON names'))
  defineRemove(command.command('remove <name>').description('remove a profile that nobody is granted'))
}

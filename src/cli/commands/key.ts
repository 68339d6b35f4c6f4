/** `handfast key …`: keys of the admin API. */
import type { Command } from 'commander'
import { defineAdd } from './key/add.ts'
import { defineList, defineRemove, defineShow } from './key/list.ts'

export function define(command: Command): void {
  // Without a subcommand the failure is reported; the whole help would bury it.
  command.configureOutput({ writeErr: () => {} })
  defineAdd(command.command('add <name>').description('make a key with a role, and print it once'))
  defineList(command.command('list').description('list keys, without their secrets'))
  defineShow(command.command('show <name>').description('show what a key is trusted with and when it ends'))
  defineRemove(command.command('remove <name>').description('end a key, now'))
}

/** `handfast password …`: passwords of identities, for clients that have no certificate. */
import type { Command } from 'commander'
import { defineList, defineRevoke } from './password/list.ts'
import { defineSet } from './password/set.ts'

export function define(command: Command): void {
  // Without a subcommand the failure is reported; the whole help would bury it.
  command.configureOutput({ writeErr: () => {} })
  defineSet(command.command('set <id>').description('give an identity another password, and print it once'))
  defineList(command.command('list <id>').description('list the passwords of an identity, without their texts'))
  defineRevoke(command.command('revoke <id>').description('end the passwords of an identity, and their sessions, now'))
}

/** `handfast user …`: people. */
import type { Command } from 'commander'
import { defineRoles } from './user/roles.ts'

export function define(command: Command): void {
  // Without a subcommand the failure is reported; the whole help would bury it.
  command.configureOutput({ writeErr: () => {} })
  defineRoles(command)
}

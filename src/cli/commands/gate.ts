/** `handfast gate …`: gates on other machines. */
import type { Command } from 'commander'
import { defineSql } from './gate/sql.ts'

export function define(command: Command): void {
  // Without a subcommand the failure is reported; the whole help would bury it.
  command.configureOutput({ writeErr: () => {} })
  defineSql(command.command('sql').description('print SQL for the database user of gates on other machines'))
}

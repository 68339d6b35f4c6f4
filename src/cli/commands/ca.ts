/** `handfast ca …`: the authorities of a hub. */
import type { Command } from 'commander'
import { defineAudit } from './ca/audit.ts'

export function define(command: Command): void {
  // Without a subcommand the failure is reported; the whole help would bury it.
  command.configureOutput({ writeErr: () => {} })
  defineAudit(command.command('audit').description('look again at all that was ever issued: rules, rows, signatures'))
}

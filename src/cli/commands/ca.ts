/** `handfast ca …`: the authorities of a hub, and how one takes the place of another. */
import type { Command } from 'commander'
import { defineAudit } from './ca/audit.ts'
import { defineCreate } from './ca/create.ts'
import { defineExportKey, defineImportKey, defineRemoveKey } from './ca/key.ts'
import { defineList, defineShow } from './ca/list.ts'
import { defineCsr, defineInstall } from './ca/own-root.ts'
import { defineRotate } from './ca/rotate.ts'

export function define(command: Command): void {
  // Without a subcommand the failure is reported; the whole help would bury it.
  command.configureOutput({ writeErr: () => {} })
  defineAudit(command.command('audit').description('look again at all that was ever issued: rules, rows, signatures'))
  defineList(command.command('list').description('list authorities'))
  defineShow(command.command('show <id>').description('show an authority and its certificates'))
  defineCreate(command.command('create').description('make another chain: a root and an issuing authority'))
  defineCsr(command.command('csr').description('ask a root of your own for an issuing authority'))
  defineInstall(command.command('install').description('take in what that root has signed'))
  defineExportKey(command.command('export-key <id>').description('write the key of a root into a file, encrypted'))
  defineRemoveKey(command.command('remove-key <id>').description('take the key of a root out of the hub'))
  defineImportKey(command.command('import-key <id>').description('bring the key of a root back, for a ceremony'))
  defineRotate(command.command('rotate').description('change an authority for a new one, without touching devices'))
}

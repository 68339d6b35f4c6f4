/** `handfast device …`: the registry of devices. */
import type { Command } from 'commander'
import { defineApprove, defineRefuse, defineWaiting } from './device/approve.ts'
import { defineChange } from './device/change.ts'
import { defineExport } from './device/export.ts'
import { defineFiles } from './device/files.ts'
import { defineImport } from './device/import.ts'
import { defineList, defineShow } from './device/list.ts'
import { defineAdd, defineToken } from './device/register.ts'
import { defineRelease } from './device/release.ts'
import { defineRenew } from './device/renew.ts'
import { defineSet } from './device/set.ts'

export function define(command: Command): void {
  // Without a subcommand the failure is reported; the whole help would bury it.
  command.configureOutput({ writeErr: () => {} })
  defineAdd(command.command('add <id>').description('register a device and print its bootstrap string'))
  defineToken(command.command('token <id>').description('print a new bootstrap string for a registered device'))
  defineFiles(command.command('files <id>').description('write a folder for a platform that runs no Handfast'))
  defineList(command.command('list').description('list devices'))
  defineShow(command.command('show <id>').description('show a device and its certificates'))
  defineSet(command.command('set <id>').description('edit the group and the attributes of a device'))
  defineImport(command.command('import').description('register many devices from a file'))
  defineExport(command.command('export').description('write the devices of the registry to a file'))
  defineWaiting(command.command('waiting').description('list keys that wait for approval, with their words'))
  defineApprove(command.command('approve <id>').description('let the key that waits have its certificate'))
  defineRefuse(command.command('refuse <id>').description('refuse keys that wait for a device'))
  defineChange(command, 'disable', 'cut a device off until it is enabled again')
  defineChange(command, 'enable', 'let a disabled device back in')
  defineRenew(command.command('renew [id]').description('call devices to renew their certificates now'))
  defineRelease(command.command('release <id>').description('release a certificate from quarantine'))
  defineChange(command, 'retire', 'end a device for good; its id is never used again')
}

/** `handfast cert …`: certificates, of whatever identity. */
import type { Command } from 'commander'
import { defineIssue } from './cert/issue.ts'
import { defineList, defineShow } from './cert/list.ts'
import { defineRevoke } from './cert/revoke.ts'
import { defineSign } from './cert/sign.ts'

export function define(command: Command): void {
  // Without a subcommand the failure is reported; the whole help would bury it.
  command.configureOutput({ writeErr: () => {} })
  defineIssue(command.command('issue').description('make a key here and order a certificate for it'))
  defineSign(command.command('sign').description('order a certificate for a key that somebody else holds'))
  defineList(command.command('list').description('list certificates, newest first'))
  defineShow(command.command('show <certificate>').description('show a certificate, by serial, fingerprint or file'))
  defineRevoke(command.command('revoke <serial>').description('revoke one certificate, now'))
}

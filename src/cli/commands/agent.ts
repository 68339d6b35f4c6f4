/** `handfast agent …`: what looks after the credential of a device. */
import type { Command } from 'commander'
import { defineDoctor } from './agent/doctor.ts'
import { defineHub } from './agent/hub.ts'
import { defineImport } from './agent/import.ts'
import { defineProxy } from './agent/proxy.ts'
import { defineRenew } from './agent/renew.ts'
import { defineRun } from './agent/run.ts'
import { defineStatus } from './agent/status.ts'

export function define(command: Command): void {
  // Without a subcommand the failure is reported; the whole help would bury it.
  command.configureOutput({ writeErr: () => {} })
  defineRun(command.command('run').description('renew the certificate in time, for as long as this runs'))
  defineRenew(command.command('renew').description('renew the certificate once'))
  defineHub(command.command('hub').description('tell the device that its hub has another name or other ports'))
  defineStatus(command.command('status').description('show the certificate and what the agent is about to do'))
  defineDoctor(command.command('doctor').description('say why this device does not get in, with the word of the hub'))
  defineImport(command.command('import').description('take a certificate and its key from files, and remove the files'))
  defineProxy(command.command('proxy').description('a local door to the hub for programs that do no TLS themselves'))
}

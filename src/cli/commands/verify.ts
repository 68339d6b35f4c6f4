/** `handfast verify …`: servers of others that ask who their clients are. */
import type { Command } from 'commander'
import { defineAdd, defineToken } from './verify/add.ts'
import { defineHeader } from './verify/header.ts'

export function define(command: Command): void {
  // Without a subcommand the failure is reported; the whole help would bury it.
  command.configureOutput({ writeErr: () => {} })
  defineAdd(
    command.command('add <id>').description('register a server that asks this hub, and print its bootstrap string'),
  )
  defineToken(command.command('token <id>').description('print a new bootstrap string for such a server'))
  defineHeader(
    command.command('header').description('write a header for servers in C that judge certificates themselves'),
  )
}

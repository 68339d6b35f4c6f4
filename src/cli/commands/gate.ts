/** `handfast gate …`: gates on other machines. */
import type { Command } from 'commander'
import { defineAdd, defineToken } from './gate/add.ts'
import { defineRun } from './gate/run.ts'
import { defineSql } from './gate/sql.ts'

export function define(command: Command): void {
  defineRun(command)
  defineAdd(command.command('add <id>').description('on the hub: register a gate and print its bootstrap string'))
  defineToken(command.command('token <id>').description('on the hub: print a new bootstrap string for a gate'))
  defineSql(command.command('sql').description('print SQL for the database user of gates on other machines'))
}

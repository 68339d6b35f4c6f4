/** `handfast policy …`: who may do what with which topics. */
import type { Command } from 'commander'
import { defineExplain } from './policy/explain.ts'
import { defineCheck, defineDiff, defineTest } from './policy/file.ts'
import { defineImportAcl } from './policy/import-acl.ts'
import { defineActivate, defineAdd, defineList, defineRollback, defineShadow, defineShow } from './policy/versions.ts'

export function define(command: Command): void {
  // Without a subcommand the failure is reported; the whole help would bury it.
  command.configureOutput({ writeErr: () => {} })
  defineCheck(command.command('check <file>').description('say what is wrong with a policy file, without a hub'))
  defineTest(command.command('test <file>').description('run the tests that a policy file brings, without a hub'))
  defineExplain(
    command
      .command('explain <identity> <action> [topic]')
      .description('say what the policy decides, and by which statement'),
  )
  defineDiff(command.command('diff <file>').description('compare a policy file with the active version'))
  defineAdd(command.command('add <file>').description('write a policy file down as a draft, "-" for standard input'))
  defineList(command.command('list').description('list the versions of the policy'))
  defineShow(
    command.command('show [version]').description('print a version as its file; the active one without a number'),
  )
  defineShadow(
    command.command('shadow [version]').description('try a version beside the active one; it decides nothing'),
  )
  defineActivate(command.command('activate <version>').description('make a version decide, on live sessions as well'))
  defineImportAcl(
    command
      .command('import-acl <file>')
      .description('print an access list of Mosquitto as a policy file; "-" for standard input'),
  )
  defineRollback(command.command('rollback').description('take the active version back: what was before it decides'))
}

/** `handfast gate sql`: what the owner of the database runs so that a gate on another machine may read the registry. */
import type { Command } from 'commander'
import { gateRoleSql, isRoleName } from '../../../compose/gates/gate-role.ts'
import { HubError, quote } from '../../../core/errors.ts'
import { limits } from '../../../core/limits.ts'
import { printJson } from '../../output.ts'
import { wholeNumber } from '../../values.ts'

interface SqlOptions {
  readonly role: string
  readonly passwords?: boolean
  readonly connections: number
  readonly json?: boolean
}

export function defineSql(command: Command): void {
  command
    .option('--role <name>', 'the database user of the gates', roleName, 'handfast_gate')
    .option('--passwords', 'their listeners take passwords: let them read the hashes')
    .option(
      '--connections <n>',
      'how many connections all gates together may have',
      wholeNumber('--connections', 1, limits.gateRoleConnectionsMax),
      limits.gateRoleConnections,
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nA superuser runs it in the database of the hub, again after each upgrade:\n  handfast gate sql | sudo -u postgres psql <database>\nThe user may read what a gate reads, and write nothing. It has no password until you give it one.',
    )
    .action(({ role, passwords, connections, json }: SqlOptions) => {
      const sql = gateRoleSql({ role, withPasswords: passwords === true, connectionsMax: connections })
      if (json) return printJson({ role, sql })
      process.stdout.write(sql)
    })
}

/** @throws HubError `usage` */
function roleName(text: string): string {
  if (isRoleName(text)) return text
  throw new HubError('usage', `--role ${quote(text)} is not a name for a database user`, {
    hint: 'write 1 to 63 of a-z, 0-9 and "_", beginning with a letter, and not with pg_',
  })
}

/** The options that say what somebody is trusted with, and where. */
import type { Command } from 'commander'
import type { GrantView } from '../api-schema/access.ts'
import { grantText, type Role, roles } from '../core/authorisation/role.ts'
import { collected } from './place-options.ts'
import { oneOf } from './values.ts'

export interface RoleOptions {
  readonly role: Role
  readonly group?: readonly string[]
  readonly register?: boolean
}

export function addRoleOptions(command: Command): Command {
  return command
    .requiredOption('--role <role>', `what it is trusted with: ${roles.join(', ')}`, oneOf('--role', roles))
    .option('--group <group>', 'where an owner or a requester is one, may be repeated', collected)
}

export function addRegisterOption(command: Command): Command {
  return command.option('--register', 'a requester may register new devices in its groups, too')
}

/** As the API takes it. */
export function grantOf({ role, group = [], register = false }: RoleOptions) {
  return { role, groups: [...group], mayRegister: register }
}

/** Roles in words, one a line. */
export function rolesText(roles: readonly GrantView[]): string {
  return roles.length === 0 ? 'no role' : roles.map(grantText).join('\n')
}

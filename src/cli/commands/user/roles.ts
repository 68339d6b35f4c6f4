/** `handfast user grant`, `withdraw` and `roles`: what a person may do with its client certificate. */
import type { Command } from 'commander'
import type { GrantRoleRequest, PersonRolesView, WithdrawRoleRequest } from '../../../api-schema/access.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../../hub-options.ts'
import { printJson, printLine } from '../../output.ts'
import { addRegisterOption, addRoleOptions, grantOf, type RoleOptions, rolesText } from '../../role-options.ts'

export function defineRoles(parent: Command): void {
  defineGrant(parent.command('grant <id>').description('give a person a role'))
  defineWithdraw(parent.command('withdraw <id>').description('take a role from a person, now'))
  const show = parent.command('roles <id>').description('show the roles of a person')
  addHubOptions(show).action(async (id: string, options: HubOptions) => {
    printRoles(await hubOf(options).get<PersonRolesView>(`/users/${pathPart(id)}/roles`), options)
  })
}

function defineGrant(command: Command): void {
  addRegisterOption(addRoleOptions(addHubOptions(command))).action(
    async (id: string, options: HubOptions & RoleOptions) => {
      const request: GrantRoleRequest = grantOf(options)
      printRoles(await hubOf(options).post<PersonRolesView>(`/users/${pathPart(id)}/roles/grant`, request), options)
    },
  )
}

function defineWithdraw(command: Command): void {
  addRoleOptions(addHubOptions(command)).action(async (id: string, options: HubOptions & RoleOptions) => {
    const { role, groups } = grantOf(options)
    const request: WithdrawRoleRequest = { role, groups }
    printRoles(await hubOf(options).post<PersonRolesView>(`/users/${pathPart(id)}/roles/withdraw`, request), options)
  })
}

function printRoles(view: PersonRolesView, { json }: HubOptions): void {
  if (json) printJson(view)
  else printLine(rolesText(view.roles).replaceAll(/^/gm, `${view.id} is `))
}

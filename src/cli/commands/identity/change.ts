/** `disable`, `enable`, `retire` and `revoke` of services and people. */
import type { Command } from 'commander'
import type { IdentityChangeView } from '../../../api-schema/identities.ts'
import { revocationReasons } from '../../../core/identity/credential.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../../hub-options.ts'
import { printJson, printLine } from '../../output.ts'
import { oneOf } from '../../values.ts'
import type { CommandKind } from './kind.ts'

export function defineChanges(parent: Command, kind: CommandKind): void {
  const { article } = kind
  defineChange(parent, kind, 'disable', `cut ${article} off until it is enabled again`)
  defineChange(parent, kind, 'enable', `let ${article} back in`)
  defineChange(parent, kind, 'retire', `end ${article} for good; the id is never used again`)
  defineRevoke(parent, kind)
}

function defineChange(
  parent: Command,
  { path }: CommandKind,
  act: 'disable' | 'enable' | 'retire',
  summary: string,
): void {
  addHubOptions(parent.command(`${act} <id>`).description(summary)).action(async (id: string, options: HubOptions) => {
    printChange(await hubOf(options).post<IdentityChangeView>(`/${path}/${pathPart(id)}/${act}`, {}), options)
  })
}

const reasonNames = Object.keys(revocationReasons)

function defineRevoke(parent: Command, { path, article }: CommandKind): void {
  addHubOptions(parent.command('revoke <id>').description(`revoke all certificates of ${article} and disable it, now`))
    .option(
      '--reason <reason>',
      `why, as it stands in the CRL: ${reasonNames.join(', ')}`,
      oneOf('--reason', reasonNames),
    )
    .action(async (id: string, options: HubOptions & { readonly reason?: string }) => {
      const request = options.reason === undefined ? {} : { reason: options.reason }
      printChange(await hubOf(options).post<IdentityChangeView>(`/${path}/${pathPart(id)}/revoke`, request), options)
    })
}

function printChange(view: IdentityChangeView, { json }: HubOptions): void {
  const { identity, revoked } = view
  if (json) printJson(view)
  else printLine(`${identity.id} is ${identity.state}${revoked.length === 0 ? '' : `; revoked: ${revoked.join(', ')}`}`)
}

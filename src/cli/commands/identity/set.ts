/** `set` of services and people: names, profiles, group and attributes. */
import type { Command } from 'commander'
import type { EditIdentityRequest, IdentityDetailView, IdentityView } from '../../../api-schema/identities.ts'
import { HubError, quote } from '../../../core/errors.ts'
import { type KeyStorage, keyStorages } from '../../../core/identity/identity.ts'
import { handfast } from '../../how-called.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../../hub-options.ts'
import { printJson, printLine, shellWord } from '../../output.ts'
import { collectAttribute, collected, parseKeyStorage } from '../../values.ts'
import type { CommandKind } from './kind.ts'
import { namesText } from './list.ts'

interface SetOptions extends HubOptions {
  readonly name?: readonly string[]
  readonly ip?: readonly string[]
  readonly email?: readonly string[]
  readonly profile?: readonly string[]
  /** False for --no-group. */
  readonly group?: string | false
  readonly attr?: Readonly<Record<string, string>>
  readonly removeAttr?: readonly string[]
  /** False for --no-key-storage. */
  readonly keyStorage?: KeyStorage | false
}

export function defineSet(command: Command, kind: CommandKind): void {
  addHubOptions(command)
  if (kind.word === 'service') {
    command
      .option('--name <dns>', 'DNS name in place of those it has, may be repeated', collected)
      .option('--ip <address>', 'IP address in place of those it has, may be repeated', collected)
  } else {
    command.option('--email <address>', 'e-mail address in place of those it has, may be repeated', collected)
  }
  command
    .option('--profile <name>', 'profile in place of those that are granted, may be repeated', collected)
    .option('--group <group>', 'put it into this group')
    .option('--no-group', 'take it out of its group')
    .option('--attr <name=value>', 'set an attribute, may be repeated', collectAttribute)
    .option('--remove-attr <name>', 'remove an attribute, may be repeated', collected)
    .option('--key-storage <place>', `where its key lives: ${keyStorages.join(', ')}`, parseKeyStorage)
    .option('--no-key-storage', 'nobody knows where its key lives')
    .addHelpText('after', '\nCertificates that were issued keep the names that they have: order others.')
    .action((id: string, options: SetOptions) => setIdentity(kind, id, options))
}

async function setIdentity({ path, word }: CommandKind, id: string, options: SetOptions): Promise<void> {
  const edit = editOf(options)
  const hub = hubOf(options)
  const place = `/${path}/${pathPart(id)}`
  const { identity } = await hub.get<IdentityDetailView>(place)
  const edited = await hub.patch<IdentityView>(place, edit, `"${identity.version}"`).catch((error: unknown) => {
    if (!(error instanceof HubError) || error.code !== 'precondition-failed') throw error
    throw new HubError('precondition-failed', `somebody else has just changed ${quote(id)}; nothing was done`, {
      hint: `see what it is now with \`${handfast} ${word} show ${shellWord(id)}\`, and run this again`,
      cause: error,
    })
  })
  if (options.json) return printJson(edited)
  const change = edited.version === identity.version ? 'is so already' : 'is changed'
  printLine(
    `${edited.id} ${change}: names ${namesText(edited)}, profiles ${edited.profiles.join(' ') || '-'}, group ${edited.group ?? '-'}`,
  )
}

/** @throws HubError `usage` where nothing is asked, or two things that exclude each other */
function editOf({
  name,
  ip,
  email,
  profile,
  group,
  keyStorage,
  attr = {},
  removeAttr = [],
}: SetOptions): EditIdentityRequest {
  const both = removeAttr.find((each) => Object.hasOwn(attr, each))
  if (both !== undefined) {
    throw new HubError('usage', `--attr sets ${quote(both)} and --remove-attr removes it`, {
      hint: 'give one of the two',
    })
  }
  const attributes = { ...attr, ...Object.fromEntries(removeAttr.map((each) => [each, null])) }
  const edit: EditIdentityRequest = {
    ...(name === undefined ? {} : { dnsNames: [...name] }),
    ...(ip === undefined ? {} : { ipAddresses: [...ip] }),
    ...(email === undefined ? {} : { emails: [...email] }),
    ...(profile === undefined ? {} : { profiles: [...profile] }),
    ...(group === undefined ? {} : { group: group === false ? null : group }),
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
    ...(keyStorage === undefined ? {} : { keyStorage: keyStorage === false ? null : keyStorage }),
  }
  if (Object.keys(edit).length > 0) return edit
  throw new HubError('usage', 'nothing to set', { hint: 'the options of `--help` say what can be set' })
}

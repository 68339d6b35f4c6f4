/** `handfast device set`: group, attributes, profiles and names of a device. */
import type { Command } from 'commander'
import type { EditDeviceRequest } from '../../../api-schema/requests.ts'
import type { DeviceDetailView, DeviceView } from '../../../api-schema/views.ts'
import { HubError, quote } from '../../../core/errors.ts'
import { type KeyStorage, keyStorages } from '../../../core/identity/identity.ts'
import type { HubApi } from '../../api-client.ts'
import { handfast } from '../../how-called.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../../hub-options.ts'
import { printJson, printLine, shellWord } from '../../output.ts'
import { collectAttribute, collectWord, parseKeyStorage } from '../../values.ts'
import { attributesText } from './list.ts'

interface SetOptions extends HubOptions {
  /** False for --no-group. */
  readonly group?: string | false
  readonly attr?: Readonly<Record<string, string>>
  readonly removeAttr?: readonly string[]
  readonly profile?: readonly string[]
  readonly removeProfile?: readonly string[]
  readonly dns?: readonly string[]
  readonly removeDns?: readonly string[]
  readonly ip?: readonly string[]
  readonly removeIp?: readonly string[]
  /** False for --no-key-storage. */
  readonly keyStorage?: KeyStorage | false
}

export function defineSet(command: Command): void {
  addHubOptions(command)
    .option('--group <group>', 'put it into this group')
    .option('--no-group', 'take it out of its group')
    .option('--attr <name=value>', 'set an attribute, may be repeated', collectAttribute)
    .option('--remove-attr <name>', 'remove an attribute, may be repeated', collectWord)
    .option('--profile <name>', 'grant it a profile, may be repeated', collectWord)
    .option('--remove-profile <name>', 'take a profile from it, may be repeated', collectWord)
    .option('--dns <name>', 'give its certificates a DNS name, may be repeated', collectWord)
    .option('--remove-dns <name>', 'take that name from them, may be repeated', collectWord)
    .option('--ip <address>', 'give its certificates an address, may be repeated', collectWord)
    .option('--remove-ip <address>', 'take that address from them, may be repeated', collectWord)
    .option('--key-storage <place>', `where its key lives: ${keyStorages.join(', ')}`, parseKeyStorage)
    .option('--no-key-storage', 'nobody knows where its key lives')
    .addHelpText(
      'after',
      '\nThe device is read, and the edit is made to what was read: when somebody else has\nchanged it in between, nothing is done.',
    )
    .action(async (id: string, options: SetOptions) => {
      assertSomething(options)
      const hub = hubOf(options)
      const { device } = await hub.get<DeviceDetailView>(`/devices/${pathPart(id)}`)
      const grants = grantsOf(options, device)
      const edited = await editedFrom(hub, device, { ...editOf(options), ...grants })
      if (options.json) return printJson(edited)
      const change = edited.version === device.version ? 'is so already' : 'is changed'
      printLine(`${edited.id} ${change}: group ${edited.group ?? '-'}, attributes ${attributesText(edited)}`)
      if (options.keyStorage !== undefined) printLine(`its key lives in ${edited.keyStorage ?? 'no known place'}`)
      if (Object.keys(grants).length === 0) return
      const names = [...edited.dnsNames, ...edited.ipAddresses].join(' ')
      printLine(`profiles ${edited.profiles.join(' ') || '-'}, names ${names || '-'}`)
    })
}

/** Lists that are edited by what comes and what goes. */
const lists = [
  { field: 'profiles', add: 'profile', remove: 'removeProfile' },
  { field: 'dnsNames', add: 'dns', remove: 'removeDns' },
  { field: 'ipAddresses', add: 'ip', remove: 'removeIp' },
] as const

/** @throws HubError `usage` where nothing is asked, or two things that exclude each other */
function assertSomething(options: SetOptions): void {
  const { group, attr, removeAttr = [] } = options
  const both = removeAttr.find((name) => attr !== undefined && Object.hasOwn(attr, name))
  if (both !== undefined) throw contradiction(`--attr sets ${quote(both)} and --remove-attr removes it`)
  for (const { add, remove } of lists) {
    const twice = options[add]?.find((word) => options[remove]?.includes(word))
    if (twice !== undefined) throw contradiction(`--${add} gives ${quote(twice)} and --remove-${add} takes it`)
  }
  const asked = [
    group,
    attr,
    options.removeAttr,
    options.keyStorage,
    ...lists.flatMap(({ add, remove }) => [options[add], options[remove]]),
  ]
  if (asked.every((each) => each === undefined)) {
    throw new HubError('usage', 'nothing to set', {
      hint: 'give --group, --no-group, --attr, --remove-attr, --key-storage, --profile, --dns, --ip or their --remove- forms',
    })
  }
}

function contradiction(message: string): HubError {
  return new HubError('usage', message, { hint: 'give one of the two' })
}

function editOf({ group, keyStorage, attr = {}, removeAttr = [] }: SetOptions): EditDeviceRequest {
  const attributes = { ...attr, ...Object.fromEntries(removeAttr.map((name) => [name, null])) }
  return {
    ...(group === undefined ? {} : { group: group === false ? null : group }),
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
    ...(keyStorage === undefined ? {} : { keyStorage: keyStorage === false ? null : keyStorage }),
  }
}

/** The lists as they shall be, made from those that were read. */
function grantsOf(options: SetOptions, device: DeviceView): EditDeviceRequest {
  const edited = lists.flatMap(({ field, add, remove }) => {
    const [added, removed] = [options[add], options[remove]]
    if (added === undefined && removed === undefined) return []
    const kept = device[field].filter((word) => !removed?.includes(word))
    return [[field, [...new Set([...kept, ...(added ?? [])])]] as const]
  })
  return Object.fromEntries(edited)
}

/** @throws HubError `precondition-failed` when somebody else was faster */
async function editedFrom(hub: HubApi, { id, version }: DeviceView, edit: EditDeviceRequest): Promise<DeviceView> {
  try {
    return await hub.patch<DeviceView>(`/devices/${pathPart(id)}`, edit, `"${version}"`)
  } catch (error) {
    if (!(error instanceof HubError) || error.code !== 'precondition-failed') throw error
    throw new HubError('precondition-failed', `somebody else has just changed ${quote(id)}; nothing was done`, {
      hint: `see what it is now with \`${handfast} device show ${shellWord(id)}\`, and run this again`,
      cause: error,
    })
  }
}

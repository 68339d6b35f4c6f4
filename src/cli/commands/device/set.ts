/** `handfast device set`: group and attributes of a device. */
import type { Command } from 'commander'
import type { EditDeviceRequest } from '../../../api-schema/requests.ts'
import type { DeviceDetailView, DeviceView } from '../../../api-schema/views.ts'
import { HubError, quote } from '../../../core/errors.ts'
import type { HubApi } from '../../api-client.ts'
import { handfast } from '../../how-called.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../../hub-options.ts'
import { printJson, printLine, shellWord } from '../../output.ts'
import { collectAttribute } from '../../values.ts'
import { attributesText } from './list.ts'

interface SetOptions extends HubOptions {
  /** False for --no-group. */
  readonly group?: string | false
  readonly attr?: Readonly<Record<string, string>>
  readonly removeAttr?: readonly string[]
}

export function defineSet(command: Command): void {
  addHubOptions(command)
    .option('--group <group>', 'put it into this group')
    .option('--no-group', 'take it out of its group')
    .option('--attr <name=value>', 'set an attribute, may be repeated', collectAttribute)
    .option('--remove-attr <name>', 'remove an attribute, may be repeated', collectName)
    .addHelpText(
      'after',
      '\nThe device is read, and the edit is made to what was read: when somebody else has\nchanged it in between, nothing is done.',
    )
    .action(async (id: string, options: SetOptions) => {
      const edit = editOf(options)
      const hub = hubOf(options)
      const { device } = await hub.get<DeviceDetailView>(`/devices/${pathPart(id)}`)
      const edited = await editedFrom(hub, device, edit)
      if (options.json) return printJson(edited)
      const change = edited.version === device.version ? 'is so already' : 'is changed'
      printLine(`${edited.id} ${change}: group ${edited.group ?? '-'}, attributes ${attributesText(edited)}`)
    })
}

function collectName(name: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), name]
}

/** @throws HubError `usage` where nothing is asked, or two things that exclude each other */
function editOf({ group, attr = {}, removeAttr = [] }: SetOptions): EditDeviceRequest {
  const both = removeAttr.find((name) => Object.hasOwn(attr, name))
  if (both !== undefined) {
    throw new HubError('usage', `--attr sets ${quote(both)} and --remove-attr removes it`, {
      hint: 'give one of the two',
    })
  }
  const attributes = { ...attr, ...Object.fromEntries(removeAttr.map((name) => [name, null])) }
  const edit: EditDeviceRequest = {
    ...(group === undefined ? {} : { group: group === false ? null : group }),
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
  }
  if (Object.keys(edit).length === 0) {
    throw new HubError('usage', 'nothing to set', { hint: 'give --group, --no-group, --attr or --remove-attr' })
  }
  return edit
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

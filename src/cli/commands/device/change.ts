/** `handfast device disable`, `enable`, `retire`: whether a device may come in. */
import type { Command } from 'commander'
import type { DeviceChangeView } from '../../../api-schema/views.ts'
import { handfast } from '../../how-called.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../../hub-options.ts'
import { note, printJson, printLine, shellWord } from '../../output.ts'

export function defineChange(parent: Command, act: 'disable' | 'enable' | 'retire', summary: string): void {
  addHubOptions(parent.command(`${act} <id>`).description(summary)).action(async (id: string, options: HubOptions) => {
    const view = await hubOf(options).post<DeviceChangeView>(`/devices/${pathPart(id)}/${act}`, {})
    if (options.json) return printJson(view)
    printChange(view)
    if (act === 'disable') note(`Let it back in with:\n  ${handfast} device enable ${shellWord(id)}`)
  })
}

/** What a change did, in a sentence. */
export function printChange({ device, revoked, tokensEnded }: DeviceChangeView): void {
  const parts = [`${device.id} is ${device.state}`]
  const count = revoked.length > 1 ? `${revoked.length} certificates ` : ''
  if (revoked.length > 0) parts.push(`${count}revoked: ${revoked.join(', ')}`)
  if (tokensEnded > 0) parts.push(`${tokensEnded} enrolment token${tokensEnded === 1 ? '' : 's'} ended`)
  printLine(parts.join('; '))
}

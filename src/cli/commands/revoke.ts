/** `handfast revoke`: a device with all it holds, or one certificate. */
import type { Command } from 'commander'
import type { DeviceChangeView } from '../../api-schema/views.ts'
import { HubError } from '../../core/errors.ts'
import { revocationReasons } from '../../core/identity/credential.ts'
import { handfast } from '../how-called.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../hub-options.ts'
import { note, printJson, printLine, shellWord } from '../output.ts'
import { oneOf } from '../values.ts'
import { printChange } from './device/change.ts'

interface RevokeOptions extends HubOptions {
  readonly serial?: string
  readonly reason?: string
}

const reasonNames = Object.keys(revocationReasons)

export function define(command: Command): void {
  addHubOptions(command)
    .argument('[id]', 'device: all its certificates are revoked, its tokens end, it is disabled')
    .option('--serial <number>', 'one certificate instead; a key compromise takes what was renewed from it, too')
    .option(
      '--reason <reason>',
      `why, as it stands in the CRL: ${reasonNames.join(', ')}`,
      oneOf('--reason', reasonNames),
    )
    .action(async (id: string | undefined, options: RevokeOptions) => {
      const path = pathOf(id, options.serial)
      const request = options.reason === undefined ? {} : { reason: options.reason }
      const view = await hubOf(options).post<DeviceChangeView>(path, request)
      if (options.json) return printJson(view)
      if (options.serial !== undefined && view.revoked.length === 0) {
        return printLine(`${options.serial} of ${view.device.id} was revoked already`)
      }
      printChange(view)
      if (id !== undefined) {
        const word = shellWord(id)
        note(`To let it back in:\n  ${handfast} device enable ${word} && ${handfast} device token ${word}`)
      }
    })
}

function pathOf(id: string | undefined, serial: string | undefined): string {
  if (id !== undefined && serial === undefined) return `/devices/${pathPart(id)}/revoke`
  if (id === undefined && serial !== undefined) return `/credentials/${pathPart(serial)}/revoke`
  throw new HubError('usage', 'name either a device or a certificate', {
    hint: 'as in `handfast revoke pump-7` or `handfast revoke --serial 4a5b…`',
  })
}

/** `handfast revoke`: a device with all it holds, or one certificate. */
import { type Command, Option } from 'commander'
import type { DeviceChangeView } from '../../api-schema/views.ts'
import { HubError } from '../../core/errors.ts'
import { revocationReasons } from '../../core/identity/credential.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../hub-options.ts'
import { note, printJson, shellWord } from '../output.ts'
import { printChange } from './device.ts'

interface RevokeOptions extends HubOptions {
  readonly serial?: string
  readonly reason?: string
}

export function define(command: Command): void {
  addHubOptions(command)
    .argument('[id]', 'device: all its certificates are revoked, its tokens end, it is disabled')
    .option('--serial <number>', 'one certificate instead, by its serial number')
    .addOption(new Option('--reason <reason>', 'why, as it stands in the CRL').choices(Object.keys(revocationReasons)))
    .action(async (id: string | undefined, options: RevokeOptions) => {
      const path = pathOf(id, options.serial)
      const request = options.reason === undefined ? {} : { reason: options.reason }
      const view = await hubOf(options).post<DeviceChangeView>(path, request)
      if (options.json) return printJson(view)
      printChange(view)
      if (id !== undefined) {
        const word = shellWord(id)
        note(`To let it back in:\n  npx handfast device enable ${word} && npx handfast device token ${word}`)
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

/** `handfast cert revoke`: one certificate. */
import type { Command } from 'commander'
import type { DeviceChangeView } from '../../../api-schema/views.ts'
import { revocationReasons } from '../../../core/identity/credential.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../../hub-options.ts'
import { printJson, printLine } from '../../output.ts'
import { oneOf } from '../../values.ts'
import { printChange } from '../device/change.ts'

const reasonNames = Object.keys(revocationReasons)

export function defineRevoke(command: Command): void {
  addHubOptions(command)
    .option(
      '--reason <reason>',
      `why, as it stands in the CRL: ${reasonNames.join(', ')}`,
      oneOf('--reason', reasonNames),
    )
    .addHelpText('after', '\nIts identity stays as it is; `handfast revoke <id>` takes all that a device has.')
    .action(async (serial: string, options: HubOptions & { readonly reason?: string }) => {
      const request = options.reason === undefined ? {} : { reason: options.reason }
      const view = await hubOf(options).post<DeviceChangeView>(`/credentials/${pathPart(serial)}/revoke`, request)
      if (options.json) return printJson(view)
      if (view.revoked.length === 0) return printLine(`${serial} of ${view.device.id} was revoked already`)
      printChange(view)
    })
}

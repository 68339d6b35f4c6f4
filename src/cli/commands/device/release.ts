/** `handfast device release`: a certificate leaves its quarantine. */
import type { Command } from 'commander'
import type { ReleaseView } from '../../../api-schema/renewals.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../../hub-options.ts'
import { printJson, printLine } from '../../output.ts'

interface ReleaseOptions extends HubOptions {
  readonly serial?: string
}

export function defineRelease(command: Command): void {
  addHubOptions(command)
    .option('--serial <number>', 'which certificate, where several wait; the others are revoked')
    .action(async (id: string, options: ReleaseOptions) => {
      const request = options.serial === undefined ? {} : { serial: options.serial }
      const view = await hubOf(options).post<ReleaseView>(`/devices/${pathPart(id)}/release`, request)
      if (options.json) return printJson(view)
      const { released, superseded, revoked } = view
      const parts = [`${released.serialNumber} of ${view.device.id} is ${released.state}`]
      if (superseded.length > 0) parts.push(`superseded: ${superseded.join(', ')}`)
      if (revoked.length > 0) parts.push(`revoked: ${revoked.join(', ')}`)
      printLine(parts.join('; '))
    })
}

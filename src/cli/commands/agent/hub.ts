/** `handfast agent hub`: tells a device where its hub is now. */
import type { Command } from 'commander'
import { HubError, quote } from '../../../core/errors.ts'
import { printJson, printLine } from '../../output.ts'
import { wholeNumber } from '../../values.ts'
import { addFolder, openHeld } from './options.ts'

interface HubFlags {
  readonly dir: string
  readonly httpsPort?: number
  readonly mqttPort?: number
  readonly json?: boolean
}

export function defineHub(command: Command): void {
  addFolder(command.argument('<host>', 'name or address of the hub, as its certificate has it'))
    .option('--https-port <port>', 'its port for enrolment, if it has changed', wholeNumber('--https-port', 1, 65_535))
    .option('--mqtt-port <port>', 'its port for MQTT, if it has changed', wholeNumber('--mqtt-port', 1, 65_535))
    .option('--json', 'print JSON')
    .action(async (host: string, { dir, json, httpsPort, mqttPort }: HubFlags) => {
      const [{ changeHub }, { host: hostForm }] = await Promise.all([
        import('../../../device/change-hub.ts'),
        import('../../../config/settings.ts'),
      ])
      if (!hostForm.safeParse(host).success) {
        throw new HubError('usage', `${quote(host)} is not a host name or an IP address`, {
          hint: 'give ports with --https-port and --mqtt-port',
        })
      }
      const ports = {
        ...(httpsPort === undefined ? {} : { httpsPort }),
        ...(mqttPort === undefined ? {} : { mqttPort }),
      }
      const hub = await changeHub(openHeld(dir), { host, ...ports })
      const place = { host: hub.host, httpsPort: hub.httpsPort, mqttPort: hub.mqttPort }
      if (json) printJson(place)
      else
        printLine(
          `the hub of ${hub.id} is ${hub.host}, with ${hub.httpsPort} for enrolment and ${hub.mqttPort} for MQTT`,
        )
    })
}

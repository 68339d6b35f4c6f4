/** Options of the command line about a broker that is probed. Secrets stand in files, never among the arguments. */
import type { Command } from 'commander'

/** As they are typed. */
export interface AddressOptions {
  readonly cafile?: string
  readonly cert?: string
  readonly key?: string
  readonly username?: string
  readonly passwordFile?: string
  readonly topic?: string
  readonly clientId?: string
  readonly alpn?: string
  readonly servername?: string
}

export function defineAddressOptions(command: Command): void {
  command
    .option('--cafile <file>', 'at an address: the authorities that the devices trust; else those of this system')
    .option('--cert <file>', 'the certificate to show, with those above it; a PFX holds the key as well')
    .option('--key <file>', 'its key')
    .option('--username <name>', 'the user name of MQTT')
    .option('--password-file <file>', 'its password; it is sent only to a server whose certificate holds')
    .option('--topic <name>', 'subscribe to this topic and send a message there; else no topic is touched')
    .option('--client-id <id>', 'the client id; a device that uses it is cut off (default: a made up one)')
    .option('--alpn <names>', 'application protocols to offer, with commas between')
    .option('--servername <name>', 'the name in the certificate of the server, where it is not the one that is dialled')
}

const namesOfOptions: readonly (keyof AddressOptions)[] = [
  'cafile',
  'cert',
  'key',
  'username',
  'passwordFile',
  'topic',
  'clientId',
  'alpn',
  'servername',
]

/** The first option that is about an address, as it is typed; undefined where none was given. */
export function addressOptionIn(options: AddressOptions): string | undefined {
  const name = namesOfOptions.find((each) => options[each] !== undefined)
  return name === undefined ? undefined : `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

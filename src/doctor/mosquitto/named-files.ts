/** The files that a configuration names: whether they are there, whether the broker may read them, and whether others may. */
import { quote } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { type Finding, finding } from '../finding.ts'
import { placeOf, type Setting } from './configuration-text.ts'
import { type Account, type Found, type Machine, mayRead } from './machine.ts'

/** What an option names, and how much of it is read. */
interface Kind {
  readonly bytesMax: number
  readonly isSecret: boolean
}

const kinds: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ...['cafile', 'certfile', 'bridge_cafile', 'bridge_certfile'].map(
    (name) => [name, { bytesMax: limits.brokerCertificateBytesMax, isSecret: false }] as const,
  ),
  ...['keyfile', 'bridge_keyfile'].map(
    (name) => [name, { bytesMax: limits.brokerCertificateBytesMax, isSecret: true }] as const,
  ),
  ['crlfile', { bytesMax: limits.brokerCrlBytesMax, isSecret: false }],
  ['capath', { bytesMax: 0, isSecret: false }],
  ['bridge_capath', { bytesMax: 0, isSecret: false }],
  ['acl_file', { bytesMax: limits.brokerConfigurationBytesMax, isSecret: false }],
  ['password_file', { bytesMax: limits.brokerConfigurationBytesMax, isSecret: true }],
  ['psk_file', { bytesMax: limits.brokerConfigurationBytesMax, isSecret: true }],
])

export class NamedFiles {
  readonly findings: Finding[] = []
  readonly #found = new Map<string, Found>()
  readonly #machine: Machine
  readonly #account: Account | null

  /** @param account whom the broker runs as; null where that is not known */
  constructor(settings: readonly Setting[], machine: Machine, account: Account | null) {
    this.#machine = machine
    this.#account = account
    for (const setting of settings) {
      const kind = kinds.get(setting.name)
      if (kind !== undefined && setting.value !== '' && !this.#found.has(setting.value)) this.#take(setting, kind)
    }
  }

  /** The octets of a file that a setting names; null where it is not there or cannot be read, which was told of. */
  bytes(setting: Setting | undefined): Uint8Array | null {
    const found = setting === undefined ? undefined : this.#found.get(setting.value)
    return found?.kind === 'file' ? found.bytes : null
  }

  /** The names in a folder that a setting names. */
  names(setting: Setting | undefined): readonly string[] | null {
    const found = setting === undefined ? undefined : this.#found.get(setting.value)
    return found?.kind === 'folder' ? found.names : null
  }

  #take(setting: Setting, { bytesMax, isSecret }: Kind): void {
    const { name, value } = setting
    const found = this.#machine.look(value, bytesMax)
    this.#found.set(value, found)
    const add = (...args: Parameters<typeof finding>): number => this.findings.push(finding(...args))
    const what = `${name} ${quote(value)}`
    if (found.kind === 'absent' && isOfWindows(value)) {
      add('mosquitto-file-missing', placeOf(setting), {
        severity: 'note',
        certainty: 'possible',
        evidence: `${what} is a path of Windows, and this machine has none such`,
        cure: 'run the doctor on the machine of the broker',
      })
      return
    }
    if (found.kind === 'absent') {
      add('mosquitto-file-missing', placeOf(setting), { evidence: `${what} is not there${relative(value)}` })
      return
    }
    if (found.kind === 'closed') {
      add('mosquitto-file-missing', placeOf(setting), {
        severity: 'note',
        certainty: 'possible',
        evidence: `${what} ${found.why}, so what stands in it was not looked at`,
        cure: 'run the doctor as a user that may read it',
      })
      return
    }
    const account = this.#account
    if (account !== null && !mayRead(account, found)) {
      add('mosquitto-file-unreadable-by-broker', placeOf(setting), {
        certainty: 'likely',
        evidence: `${what} has mode ${modeText(found.rights.mode)} and user ${found.rights.uid}, and ${quote(account.name)}, whom the broker becomes when root starts it, may not read it`,
        cure: `let that user read it: \`chgrp ${account.name} ${value}\` and \`chmod 640 ${value}\`, and let it into the folders above`,
      })
    }
    if (isSecret && found.kind === 'file' && (found.rights.mode & 0o004) !== 0 && isReached(found)) {
      add('mosquitto-secret-file-open', placeOf(setting), {
        severity: 'warning',
        evidence: `${what} has mode ${modeText(found.rights.mode)}: every user of the machine may read it`,
        cure: `take the right away: \`chmod o-rwx ${value}\``,
      })
    }
  }
}

/** As in C:\\mosquitto\\ca.pem, which is looked for on a machine without drives. */
function isOfWindows(path: string): boolean {
  return process.platform !== 'win32' && /^[A-Za-z]:[\\/]/.test(path)
}

function relative(path: string): string {
  return path.startsWith('/') ? '' : '; a relative path is looked for from where the broker is started'
}

function modeText(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0')
}

/** Whether everybody may go through the folders above. */
function isReached({ folders }: Extract<Found, { readonly kind: 'file' }>): boolean {
  return folders.every(({ mode }) => (mode & 0o001) !== 0)
}

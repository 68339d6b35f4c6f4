/**
 * The settings of a hub, and of a gate on a machine of its own: the word for each in `handfast.yaml` (which is also its flag),
 * its environment variable and its form. Values from the environment are text; the forms read them as they read YAML.
 */
import { isIP } from 'node:net'
import { z } from 'zod'
import { limits } from '../core/limits.ts'
import { parseBrokerAddress } from '../core/upstream/broker-address.ts'
import type { BrokerSettings } from '../core/upstream/broker-settings.ts'

/** Text that names something on this machine or on the network: one line, not empty. */
const line = z
  .string()
  .min(1, 'is empty')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'contains control characters')

const hostName = /^(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*$/
export const host: z.ZodType<string> = line.refine(
  (text) => isIP(text) !== 0 || (hostName.test(text) && text.length <= 253),
  {
    error: 'is not a host name or an IP address',
  },
)

export const port: z.ZodType<number> = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^[0-9]{1,5}$/)
      .transform(Number),
  ])
  .refine((value) => Number.isInteger(value) && value >= 0 && value <= 65_535)

const days = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^[0-9]{1,4}$/)
      .transform(Number),
  ])
  .refine((value) => Number.isInteger(value) && value >= 7 && value <= 3_650)

const gates = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^[0-9]{1,2}$/)
      .transform(Number),
  ])
  .refine((value) => Number.isInteger(value) && value >= 1 && value <= limits.gatesMax)

const minutes = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^[0-9]{1,4}$/)
      .transform(Number),
  ])
  .refine((value) => Number.isInteger(value) && value >= 1 && value <= 1_440)

const yesOrNo = z.union([
  z.boolean(),
  z.enum(['true', 'yes', 'on', '1']).transform(() => true),
  z.enum(['false', 'no', 'off', '0']).transform(() => false),
])

const listenAddress = z.string().transform((text, context) => {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+)):([0-9]{1,5})$/.exec(text)
  const parsed = { host: match?.[1] ?? match?.[2] ?? '', port: Number(match?.[3]) }
  if (host.safeParse(parsed.host).success && parsed.port <= 65_535) return parsed
  context.addIssue({ code: 'custom', message: 'is not of the form host:port' })
  return z.NEVER
})

/** What may stand in place of addresses. */
export const brokerWords = ['automatic', 'embedded', 'mosquitto'] as const

const broker = z.string().transform((text, context): BrokerSettings['choice'] => {
  const word = brokerWords.find((each) => each === text)
  if (word !== undefined) return word
  const addresses = text.split(',').map((part) => parseBrokerAddress(part.trim()))
  const valid = addresses.filter((address) => typeof address !== 'string')
  if (valid.length === addresses.length && valid.length <= limits.brokerAddressesMax) return valid
  context.addIssue({ code: 'custom', message: 'is not a broker' })
  return z.NEVER
})

/** One setting. `wanted` completes the sentence "… is not …". */
interface Setting {
  readonly variable: string
  readonly form: z.ZodType
  readonly wanted: string
  /** A path: where it came from decides what it is relative to. */
  readonly isPath?: true
  /** An address in which somebody may have written a login: then a message does not repeat it. */
  readonly isAddress?: true
}

const aPort = 'a port from 0 to 65535'
const aPath = 'a path'

export const settings = {
  data: { variable: 'HANDFAST_DATA', form: line, wanted: aPath, isPath: true },
  host: { variable: 'HANDFAST_HOST', form: host, wanted: 'a host name or an IP address' },
  'mqtt-port': { variable: 'HANDFAST_MQTT_PORT', form: port, wanted: aPort },
  'https-port': { variable: 'HANDFAST_HTTPS_PORT', form: port, wanted: aPort },
  'http-port': { variable: 'HANDFAST_HTTP_PORT', form: port, wanted: aPort },
  'public-name': { variable: 'HANDFAST_PUBLIC_NAME', form: host, wanted: 'a host name or an IP address' },
  realm: {
    variable: 'HANDFAST_REALM',
    form: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,254}$/),
    wanted: 'a realm: lower-case letters, digits, ".", "-" and "_"',
  },
  hub: {
    variable: 'HANDFAST_HUB',
    form: listenAddress,
    wanted: 'the gate link of a hub, of the form host:port',
  },
  'bootstrap-file': { variable: 'HANDFAST_BOOTSTRAP_FILE', form: line, wanted: aPath, isPath: true },
  'ready-file': { variable: 'HANDFAST_READY_FILE', form: line, wanted: aPath, isPath: true },
  'api-listen': {
    variable: 'HANDFAST_API_LISTEN',
    form: listenAddress,
    wanted: 'an address of the form host:port',
  },
  'gate-link': {
    variable: 'HANDFAST_GATE_LINK',
    form: listenAddress,
    wanted: 'an address of the form host:port',
  },
  'metrics-listen': {
    variable: 'HANDFAST_METRICS_LISTEN',
    form: listenAddress,
    wanted: 'an address of the form host:port',
  },
  'tls-cert': { variable: 'HANDFAST_TLS_CERT', form: line, wanted: aPath, isPath: true },
  'tls-key': { variable: 'HANDFAST_TLS_KEY', form: line, wanted: aPath, isPath: true },
  'passphrase-file': { variable: 'HANDFAST_PASSPHRASE_FILE', form: line, wanted: aPath, isPath: true },
  'database-url-file': { variable: 'HANDFAST_DATABASE_URL_FILE', form: line, wanted: aPath, isPath: true },
  journal: { variable: 'HANDFAST_JOURNAL', form: line, wanted: aPath, isPath: true },
  'registry-grace': {
    variable: 'HANDFAST_REGISTRY_GRACE',
    form: minutes,
    wanted: 'a number of minutes from 1 to 1440',
  },
  'journal-days': { variable: 'HANDFAST_JOURNAL_DAYS', form: days, wanted: 'a number of days from 7 to 3650' },
  broker: {
    variable: 'HANDFAST_BROKER',
    form: broker,
    wanted:
      'automatic, embedded, mosquitto, or addresses such as mqtts://host:port and unix:/path, without a login in them',
    isAddress: true,
  },
  'broker-login-file': { variable: 'HANDFAST_BROKER_LOGIN_FILE', form: line, wanted: aPath, isPath: true },
  'broker-ca': { variable: 'HANDFAST_BROKER_CA', form: line, wanted: aPath, isPath: true },
  'broker-cert': { variable: 'HANDFAST_BROKER_CERT', form: line, wanted: aPath, isPath: true },
  'broker-key': { variable: 'HANDFAST_BROKER_KEY', form: line, wanted: aPath, isPath: true },
  'broker-client-ids': {
    variable: 'HANDFAST_BROKER_CLIENT_IDS',
    form: z.enum(['prefixed', 'own']),
    wanted: 'prefixed or own',
  },
  'broker-user-properties': {
    variable: 'HANDFAST_BROKER_USER_PROPERTIES',
    form: z.enum(['connections', 'messages']),
    wanted: 'connections or messages',
  },
  gates: {
    variable: 'HANDFAST_GATES',
    form: gates,
    wanted: `a number of processes from 1 to ${limits.gatesMax}`,
  },
  'denied-publish': {
    variable: 'HANDFAST_DENIED_PUBLISH',
    form: z.enum(['close', 'acknowledge']),
    wanted: 'close or acknowledge',
  },
  'session-tickets': { variable: 'HANDFAST_SESSION_TICKETS', form: yesOrNo, wanted: 'true or false' },
  'log-level': {
    variable: 'HANDFAST_LOG_LEVEL',
    form: z.enum(['debug', 'info', 'warn', 'error', 'silent']),
    wanted: 'one of debug, info, warn, error, silent',
  },
} as const satisfies Record<string, Setting>

export type SettingName = keyof typeof settings
export const settingNames = Object.keys(settings) as readonly SettingName[]

export function isSettingName(word: string): word is SettingName {
  return Object.hasOwn(settings, word)
}

/** The setting of a name, without its exact form: for code that goes through all of them. */
export function setting(name: SettingName): Setting {
  return settings[name]
}

/** What a program of its own reads settings for. */
export type Program = 'up' | 'gate'

/** Settings that a gate on a machine of its own has as well. */
const shared: ReadonlySet<SettingName> = new Set([
  ...(['data', 'host', 'mqtt-port', 'tls-cert', 'tls-key', 'database-url-file', 'registry-grace'] as const),
  ...(['denied-publish', 'broker-user-properties', 'session-tickets', 'log-level', 'ready-file'] as const),
])
/** Settings that it has alone. */
const ofGate: ReadonlySet<SettingName> = new Set(['hub', 'bootstrap-file'])

/** Whether a program has the setting of that name. */
export function isSettingOf(program: Program, name: SettingName): boolean {
  return shared.has(name) || ofGate.has(name) === (program === 'gate')
}

/** The words that the setting of a name takes, where they are a closed list; null elsewhere. */
export function settingWords(name: SettingName): readonly string[] | null {
  const { form } = setting(name)
  return form instanceof z.ZodEnum ? form.options.map(String) : null
}

/** What a setting reads as. */
export type SettingValue<Name extends SettingName> = z.output<(typeof settings)[Name]['form']>

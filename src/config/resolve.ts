/** One configuration out of flags, environment and file, in this order of precedence, validated as a whole. */
import { resolve } from 'node:path'
import { HubError, quote, quoteValue } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import { Secret } from '../core/secret.ts'
import type { BrokerSettings } from '../core/upstream/broker-settings.ts'
import type { GateConfig, HubConfig } from './config.ts'
import { settleListeners } from './listeners.ts'
import {
  brokerWords,
  isSettingOf,
  type Program,
  type SettingName,
  type SettingValue,
  setting,
  settingWords,
} from './settings.ts'
import {
  type GivenValue,
  type Source,
  settingsFromEnvironment,
  settingsFromFile,
  settingsFromFlags,
} from './sources.ts'

export interface ConfigSources {
  /** Values by setting name as on the command line, without dashes in front; `undefined` is not given. */
  readonly flags: Readonly<Record<string, unknown>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** The file named with --config or HANDFAST_CONFIG, or null for `handfast.yaml` in `directory`, if it is there. */
  readonly file: string | null
  /** The current directory, absolute. */
  readonly directory: string
}

/**
 * The configuration of a hub: flags come before the environment, that before the file, that before the defaults.
 *
 * @throws HubError `config-invalid`, with every problem of every source in one message
 */
export function resolveConfig(given: ConfigSources): HubConfig {
  const { env, directory } = given
  const sources = sourcesOf(given)
  const problems: string[] = []
  const settled = settle('up', sources, problems)
  const passphrase = secretOf('passphrase-file', 'HANDFAST_PASSPHRASE', settled, env, problems)
  const databaseUrl = secretOf('database-url-file', 'HANDFAST_DATABASE_URL', settled, env, problems)
  const tls = filePair(settled, ['tls-cert', 'tls-key'], problems)
  const broker = brokerSettings(settled, problems)
  const host = settled.read('host') ?? '0.0.0.0'
  const mqttPort = settled.read('mqtt-port') ?? 8883
  const entries = sources.flatMap((source) => source.listeners ?? [])
  const listeners = settleListeners(entries, host, mqttPort, problems)
  const gateLink = settled.read('gate-link') ?? null
  if (gateLink !== null && databaseUrl === null) {
    problems.push(`${settled.given('gate-link')?.origin}: gates on other machines need a registry in PostgreSQL`)
  }
  if (problems.length > 0) throw refusal('up', problems)
  const dataDirectory = settled.read('data') ?? resolve(directory, 'data')
  return {
    dataDirectory,
    host,
    mqttPort,
    listeners,
    httpsPort: settled.read('https-port') ?? 8443,
    httpPort: settled.read('http-port') ?? 8080,
    publicName: settled.read('public-name') ?? null,
    realm: settled.read('realm') ?? null,
    readyFile: settled.read('ready-file') ?? null,
    apiListen: settled.read('api-listen') ?? null,
    gateLink,
    metricsListen: settled.read('metrics-listen') ?? null,
    tls,
    passphrase,
    databaseUrl,
    journal: settled.read('journal') ?? resolve(dataDirectory, 'journal'),
    registryGraceMinutes: settled.read('registry-grace') ?? 5,
    journalDays: settled.read('journal-days') ?? 90,
    broker,
    gates: settled.read('gates') ?? 1,
    deniedPublish: settled.read('denied-publish') ?? 'close',
    brokerUserProperties: settled.read('broker-user-properties') ?? 'connections',
    sessionTickets: settled.read('session-tickets') ?? false,
    logLevel: settled.read('log-level') ?? 'info',
  }
}

/**
 * The configuration of a gate on a machine of its own, from the same sources in the same order.
 *
 * @throws HubError `config-invalid`, with every problem of every source in one message
 */
export function resolveGateConfig(given: ConfigSources): GateConfig {
  const { env, directory } = given
  const sources = sourcesOf(given)
  const problems: string[] = []
  const settled = settle('gate', sources, problems)
  const databaseUrl = secretOf('database-url-file', 'HANDFAST_DATABASE_URL', settled, env, problems)
  const tls = filePair(settled, ['tls-cert', 'tls-key'], problems)
  const host = settled.read('host') ?? '0.0.0.0'
  const mqttPort = settled.read('mqtt-port') ?? 8883
  const entries = sources.flatMap((source) => source.listeners ?? [])
  const listeners = settleListeners(entries, host, mqttPort, problems)
  const hub = settled.read('hub')
  if (hub === undefined && problems.length === 0)
    problems.push('hub is missing: the gate link of the hub, as in --hub hub.plant.example:8447')
  if (databaseUrl === null) problems.push('database-url-file is missing: a gate reads the registry of its hub')
  if (problems.length > 0 || hub === undefined || databaseUrl === null) throw refusal('gate', problems)
  return {
    ...{ hub, databaseUrl, listeners, tls },
    dataDirectory: settled.read('data') ?? resolve(directory, 'gate'),
    bootstrapFile: settled.read('bootstrap-file') ?? null,
    readyFile: settled.read('ready-file') ?? null,
    registryGraceMinutes: settled.read('registry-grace') ?? 5,
    deniedPublish: settled.read('denied-publish') ?? 'close',
    brokerUserProperties: settled.read('broker-user-properties') ?? 'connections',
    sessionTickets: settled.read('session-tickets') ?? false,
    logLevel: settled.read('log-level') ?? 'info',
  }
}

function sourcesOf({ flags, env, file, directory }: ConfigSources): readonly Source[] {
  return [
    settingsFromFlags(flags, directory),
    settingsFromEnvironment(env, directory),
    settingsFromFile(resolve(directory, file ?? 'handfast.yaml'), file !== null),
  ]
}

/**
 * For a command that needs no hub: it reads no settings, and a mistyped variable would be overlooked.
 *
 * @throws HubError `config-invalid`
 */
export function refuseMistypedVariables(env: ConfigSources['env']): void {
  const { problems } = settingsFromEnvironment(env, '/')
  if (problems.length > 0) throw refusal('up', problems)
}

/** The values that won, each read into its form. */
interface Settled {
  read<Name extends SettingName>(name: Name): SettingValue<Name> | undefined
  /** The value that won as it was written, or undefined. */
  given(name: SettingName): GivenValue | undefined
}

/** Reads every value, also those that another source overrules: a mistake there would bite later. */
function settle(program: Program, sources: readonly Source[], problems: string[]): Settled {
  const winners = new Map<SettingName, { given: GivenValue; value: unknown }>()
  for (const source of sources) {
    problems.push(...source.problems)
    for (const given of source.values) {
      const { form, wanted, isPath, isAddress, variable } = setting(given.name)
      if (!isSettingOf(program, given.name)) {
        // Variables may stand there for another program.
        if (given.origin !== variable) problems.push(`${given.origin}: \`handfast ${program}\` has no such setting`)
        continue
      }
      const parsed = form.safeParse(given.value)
      if (!parsed.success) {
        const holdsLogin = isAddress === true && String(given.value).includes('@')
        const near = holdsLogin ? null : nearestWord(given.name, given.value)
        const meant = near === null ? '' : `; did you mean ${quote(near)}?`
        problems.push(`${given.origin}: ${holdsLogin ? 'its value' : quoteValue(given.value)} is not ${wanted}${meant}`)
      } else if (!winners.has(given.name)) {
        const value = isPath ? resolve(given.directory, String(parsed.data)) : parsed.data
        winners.set(given.name, { given, value })
      }
    }
  }
  return {
    read: <Name extends SettingName>(name: Name) => winners.get(name)?.value as SettingValue<Name> | undefined,
    given: (name) => winners.get(name)?.given,
  }
}

function nearestWord(name: SettingName, value: unknown): string | null {
  const words = name === 'broker' ? brokerWords : settingWords(name)
  return words === null || typeof value !== 'string' ? null : nearest(value, words)
}

/** Certificate and key go together. */
function filePair(
  settled: Settled,
  [certName, keyName]: readonly ['tls-cert', 'tls-key'] | readonly ['broker-cert', 'broker-key'],
  problems: string[],
): HubConfig['tls'] {
  const [certificate, key] = [settled.read(certName), settled.read(keyName)]
  if (certificate !== undefined && key !== undefined) return { certificate, key }
  const origin = settled.given(certName)?.origin ?? settled.given(keyName)?.origin
  if (origin !== undefined) {
    problems.push(`${origin}: ${certificate === undefined ? certName : keyName} is missing beside it`)
  }
  return null
}

/** What is said of a broker of the operator's means nothing for one of the hub's own. */
function brokerSettings(settled: Settled, problems: string[]): BrokerSettings {
  const choice = settled.read('broker') ?? 'automatic'
  const tls = filePair(settled, ['broker-cert', 'broker-key'], problems)
  if (typeof choice === 'string') {
    for (const name of ['broker-login-file', 'broker-ca', 'broker-cert', 'broker-key', 'broker-client-ids'] as const) {
      const origin = settled.given(name)?.origin
      if (origin !== undefined) problems.push(`${origin}: it needs the address of a broker (broker: mqtts://host:port)`)
    }
  }
  return {
    choice,
    loginFile: settled.read('broker-login-file') ?? null,
    caFile: settled.read('broker-ca') ?? null,
    tls,
    clientIds: settled.read('broker-client-ids') ?? 'prefixed',
  }
}

/** A secret itself is taken from the environment alone: a flag would show in the list of processes. */
function secretOf(
  fileSetting: 'passphrase-file' | 'database-url-file',
  variable: 'HANDFAST_PASSPHRASE' | 'HANDFAST_DATABASE_URL',
  settled: Settled,
  env: ConfigSources['env'],
  problems: string[],
): HubConfig['passphrase'] {
  const text = env[variable]
  const file = settled.read(fileSetting)
  const origin = settled.given(fileSetting)?.origin
  if (text === undefined || text === '') return file === undefined ? null : { file }
  const value = new Secret(text)
  if (file === undefined) return { value }
  if (origin === `${variable}_FILE`) problems.push(`${variable} and ${variable}_FILE are both set; unset one of them`)
  return origin === `--${fileSetting}` ? { file } : { value }
}

function refusal(program: Program, problems: readonly string[]): HubError {
  const [first = ''] = problems
  const message =
    problems.length === 1
      ? first
      : `${problems.length} settings are not valid:\n${problems.map((each) => `  - ${each}`).join('\n')}`
  return new HubError('config-invalid', message, {
    hint: `correct what is named; \`handfast ${program} --help\` lists the settings`,
  })
}

/** `handfast up`: a hub in this terminal. */
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { RunningHub } from '../../compose/start-hub.ts'
import { exitStatus } from '../../core/failure/wire-forms.ts'
import { hostAndPort, publicAddresses } from '../addresses.ts'
import { kebabCased } from '../flag-names.ts'
import { handfast } from '../how-called.ts'
import type { HubLog } from '../log.ts'
import { printFields, printJson, printLine, shellWord } from '../output.ts'
import { writeReadyFile } from '../ready-file.ts'
import { onStopSignal } from '../stop-signal.ts'
import { amount } from '../summary.ts'

export function define(command: Command): void {
  command
    .option('--data <dir>', 'data directory (default ./data)')
    .option('--host <address>', 'address to listen on (default 0.0.0.0; "::" for IPv6 too)')
    .option('--mqtt-port <port>', 'MQTT over TLS (default 8883; 0 picks a free port)')
    .option('--https-port <port>', 'enrolment (default 8443)')
    .option('--http-port <port>', 'CRLs, OCSP and CA certificates (default 8080)')
    .option('--public-name <name>', 'name or address that devices use; kept from the first start')
    .option('--realm <realm>', 'trust domain of the SPIFFE IDs; fixed at the first start')
    .option('--api-listen <host:port>', 'serve the admin API over TLS there too')
    .option('--gate-link <host:port>', 'let gates on other machines link themselves there (needs PostgreSQL)')
    .option('--metrics-listen <host:port>', 'serve metrics and health over HTTP there, as in 127.0.0.1:9464')
    .option('--tls-cert <file>', 'a server certificate of your own, for names that devices do not use')
    .option('--tls-key <file>', 'its private key')
    .option('--passphrase-file <file>', 'passphrase of the authority keys (or HANDFAST_PASSPHRASE)')
    .option('--database-url-file <file>', 'URL of a PostgreSQL database (or HANDFAST_DATABASE_URL; default SQLite)')
    .option('--journal <dir>', 'folder of the journal, best on another disk (default <data>/journal)')
    .option('--registry-grace <minutes>', 'how long sessions live on while the registry cannot be asked (default 5)')
    .option('--journal-days <n>', 'how long the journal is kept (default 90)')
    .option('--config <file>', 'settings in YAML (default handfast.yaml, if it is there)')
    .option('--ready-file <file>', 'write the addresses there as JSON once the hub serves')
    .option('--broker <which>', 'mosquitto, embedded (for a trial), or mqtt://, mqtts://, unix: addresses')
    .option('--broker-login-file <file>', 'user name and password of the gate for that broker, one a line')
    .option('--broker-ca <file>', 'CA certificates that the broker is judged by (default: those of the system)')
    .option('--broker-cert <file>', 'client certificate of the gate for that broker')
    .option('--broker-key <file>', 'its private key')
    .option('--broker-client-ids <how>', 'prefixed (default) with the identity, or own: as they are')
    .option(
      '--broker-user-properties <where>',
      'say who a client is in connections (default) or in messages of MQTT 5 too',
    )
    .option('--gates <n>', 'processes that serve MQTT, for machines with several cores (default 1)')
    .option('--denied-publish <how>', 'close (default) or acknowledge what MQTT 3.1.1 may not publish')
    .option('--session-tickets', 'offer TLS session tickets')
    .option('--log-level <level>', 'debug, info, warn, error or silent (default info)')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nEvery option is also a setting in handfast.yaml and a variable: --mqtt-port is\nHANDFAST_MQTT_PORT.',
    )
    .action((options: Readonly<Record<string, unknown>>) => up(options))
}

async function up(options: Readonly<Record<string, unknown>>): Promise<void> {
  const { resolveConfig } = await import('../../config/resolve.ts')
  const { config: file, json, ...flags } = options
  const config = resolveConfig({
    flags: kebabCased(flags),
    env: process.env,
    file: typeof file === 'string' ? file : process.env.HANDFAST_CONFIG || null,
    directory: process.cwd(),
  })
  // Threads and reports of crashes copy the environment.
  for (const secret of ['HANDFAST_PASSPHRASE', 'HANDFAST_DATABASE_URL']) delete process.env[secret]
  const [{ startHub }, { makeLog }] = await Promise.all([import('../../compose/start-hub.ts'), import('../log.ts')])
  const log = makeLog(config.logLevel)
  const stopping = stopOnSignal(log)
  const hub = await startHub(config, log)
  try {
    if (config.readyFile !== null) writeReadyFile(config.readyFile, { ...hub.addresses, ca: hub.caPath })
    if (json) printJson(withoutStop(hub))
    else announce(hub, config.dataDirectory)
    await stopping
  } finally {
    await hub.stop()
  }
  // What is left open, such as a client that does not read its farewell, must not keep the process alive.
  process.exit(exitStatus.ok)
}

/** Fulfilled at the first signal to end. */
function stopOnSignal(log: HubLog): Promise<void> {
  return new Promise((resolve) => {
    onStopSignal((signal) => {
      log.info('stopping', { signal })
      resolve()
    })
  })
}

function withoutStop({ stop: _stop, ...rest }: RunningHub): Omit<RunningHub, 'stop'> {
  return rest
}

/** Columns of the banner: a terminal beside an editor still shows it whole. */
const columnsMax = 100

function announce(hub: RunningHub, dataDirectory: string): void {
  const { api } = hub.addresses
  const { metrics, gateLink } = hub.addresses
  const apiUrl = api === null ? null : `https://${hostAndPort({ host: hub.publicName, port: api.port })}`
  printLine(hub.firstStart ? 'Handfast is ready, with a new authority.' : 'Handfast is ready.')
  printLine()
  printFields(
    [
      ...publicAddresses(hub.publicName, hub.addresses).map(({ name, url, purpose }): [string, string] => [
        `  ${name}`,
        `${url}  (${purpose})`,
      ]),
      ...(apiUrl === null ? [] : [['  API', `${apiUrl}  (operators)`] as const]),
      ...(gateLink === null
        ? []
        : [
            [
              '  gate link',
              `${hostAndPort({ host: hub.publicName, port: gateLink.port })}  (gates on other machines)`,
            ] as const,
          ]),
      ...(metrics === null ? [] : [['  metrics', `http://${hostAndPort(metrics)}/metrics`] as const]),
      ['  socket', `${hub.socketPath}, key in ${hub.adminKeyPath}`],
      ['  root', `sha256 ${hub.rootFingerprint}`],
      ['  CA file', hub.caPath],
      ['  registry', hub.registryNote],
      ['  keys', hub.passphraseNote],
      ['  broker', hub.upstreamNote],
      ...(hub.adoptionsWaiting === 0
        ? []
        : [
            [
              '  restored',
              `${amount(hub.adoptionsWaiting, 'device')} to adopt: ${handfast} adopt${dataOption(dataDirectory)}`,
            ] as const,
          ]),
    ],
    columnsMax,
  )
  if (apiUrl !== null) announceApi(hub, apiUrl)
  if (hub.firstStart) announceNext(dataDirectory)
}

function announceApi({ adminKeyPath, caPath }: RunningHub, url: string): void {
  printLine()
  printLine('To use the API from another machine, set there:')
  printLine(`  HANDFAST_URL=${url}`)
  printLine(`  HANDFAST_KEY=<what stands in ${adminKeyPath}>`)
  printLine(`  HANDFAST_CA=<path of a copy of ${caPath}>`)
}

function announceNext(dataDirectory: string): void {
  printLine()
  printLine('Next, in another terminal:')
  printLine(`  ${handfast} device add pump-7${dataOption(dataDirectory)}`)
  printLine(`  ${handfast} enrol <the string it prints> --dir pump-7`)
}

/** What a command needs to find this hub from here. */
function dataOption(dataDirectory: string): string {
  return dataDirectory === resolve('data') ? '' : ` --data ${shellWord(dataDirectory)}`
}

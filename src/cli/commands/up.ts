/** `handfast up`: a hub in this terminal. */
import type { Command } from 'commander'
import type { RunningHub } from '../../compose.ts'
import { exitStatus } from '../../core/failure/wire-forms.ts'
import type { HubLog } from '../log.ts'
import { printFields, printJson, printLine } from '../output.ts'
import { writeReadyFile } from '../ready-file.ts'

export function define(command: Command): void {
  command
    .option('--data <dir>', 'data directory (default ./data)')
    .option('--host <address>', 'address to listen on (default 0.0.0.0; "::" for IPv6 too)')
    .option('--mqtt-port <port>', 'MQTT over TLS (default 8883; 0 picks a free port)')
    .option('--https-port <port>', 'enrolment (default 8443)')
    .option('--http-port <port>', 'CRLs and CA certificates (default 8080)')
    .option('--public-name <name>', 'name or address that devices use; kept from the first start')
    .option('--realm <realm>', 'trust domain of the SPIFFE IDs; fixed at the first start')
    .option('--api-listen <host:port>', 'serve the admin API over TLS there too')
    .option('--passphrase-file <file>', 'passphrase of the authority keys (or HANDFAST_PASSPHRASE)')
    .option('--config <file>', 'settings in YAML (default handfast.yaml, if it is there)')
    .option('--ready-file <file>', 'write the addresses there as JSON once the hub serves')
    .option('--session-tickets', 'offer TLS session tickets')
    .option('--log-level <level>', 'debug, info, warn, error or silent (default info)')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nEvery option is also a setting in handfast.yaml and a variable: --mqtt-port is HANDFAST_MQTT_PORT.',
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
  const [{ startHub }, { makeLog }] = await Promise.all([import('../../compose.ts'), import('../log.ts')])
  const log = makeLog(config.logLevel)
  const stopping = stopOnSignal(log)
  const hub = await startHub(config, log)
  try {
    if (config.readyFile !== null) writeReadyFile(config.readyFile, { ...hub.addresses, ca: hub.caPath })
    if (json) printJson(withoutStop(hub))
    else announce(hub)
    await stopping
  } finally {
    await hub.stop()
  }
  // What is left open, such as a client that does not read its farewell, must not keep the process alive.
  process.exit(exitStatus.ok)
}

/** commander names --mqtt-port mqttPort. */
function kebabCased(flags: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(flags).map(([name, value]) => [name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`), value]),
  )
}

/** One Ctrl-C may come more than once: from the terminal, and again from each launcher on the way. */
const echoMs = 500

/** Fulfilled at the first signal to end; a second one ends the process at once. */
function stopOnSignal(log: HubLog): Promise<void> {
  return new Promise((resolve) => {
    let firstAtMs = 0
    const onSignal = (signal: NodeJS.Signals): void => {
      if (firstAtMs === 0) {
        firstAtMs = performance.now()
        log.info('stopping', { signal })
        resolve()
      } else if (performance.now() - firstAtMs > echoMs) {
        process.exit(exitStatus.failed)
      }
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}

function withoutStop({ stop: _stop, ...rest }: RunningHub): Omit<RunningHub, 'stop'> {
  return rest
}

function announce(hub: RunningHub): void {
  const { mqtt, https, http } = hub.addresses
  const name = hub.publicName.includes(':') ? `[${hub.publicName}]` : hub.publicName
  printLine(hub.firstStart ? 'Handfast is ready, with a new authority.' : 'Handfast is ready.')
  printLine()
  printFields([
    ['  MQTT', `mqtts://${name}:${mqtt.port}`],
    ['  HTTPS', `https://${name}:${https.port}  (enrolment)`],
    ['  HTTP', `http://${name}:${http.port}  (CRLs and CA certificates)`],
    ['  root', `sha256 ${hub.rootFingerprint}`],
    ['  CA file', hub.caPath],
    ['  API', `${hub.socketPath}, key in ${hub.adminKeyPath}`],
    ['  keys', hub.passphraseNote],
    ['  restart', hub.upstreamNote],
  ])
  printLine()
  printLine('Next, in another terminal:')
  printLine('  npx handfast device add pump-7')
  printLine("  npx handfast enrol '<the string it prints>' --dir pump-7")
}

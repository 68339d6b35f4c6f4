/** `handfast gate`: a gate on a machine of its own. */
import { readFileSync, statSync } from 'node:fs'
import type { Command } from 'commander'
import type { LoneGate } from '../../../compose/gates/lone-gate.ts'
import type { GateConfig } from '../../../config/config.ts'
import { HubError, quote } from '../../../core/errors.ts'
import { exitStatus } from '../../../core/failure/wire-forms.ts'
import { type Bootstrap, parseBootstrap } from '../../../core/identity/bootstrap.ts'
import { nearest } from '../../../core/nearest.ts'
import { Secret } from '../../../core/secret.ts'
import { hostAndPort, listenerUrl } from '../../addresses.ts'
import { kebabCased } from '../../flag-names.ts'
import type { HubLog } from '../../log.ts'
import { printFields, printJson, printLine, warn } from '../../output.ts'
import { writeReadyFile } from '../../ready-file.ts'
import { onStopSignal } from '../../stop-signal.ts'

export function defineRun(command: Command): void {
  command
    .option('--hub <host:port>', 'the gate link of the hub (needed)')
    .option('--database-url-file <file>', 'URL of the database of the hub (or HANDFAST_DATABASE_URL; needed)')
    .option('--bootstrap-file <file>', 'what `gate add` printed (or HANDFAST_BOOTSTRAP); needed at the first start')
    .option('--data <dir>', 'folder of the gate (default ./gate)')
    .option('--host <address>', 'address to listen on (default 0.0.0.0; "::" for IPv6 too)')
    .option('--mqtt-port <port>', 'MQTT over TLS (default 8883; 0 picks a free port)')
    .option('--tls-cert <file>', 'a server certificate of your own, for names that devices do not use')
    .option('--tls-key <file>', 'its private key')
    .option('--registry-grace <minutes>', 'how long sessions live on while the registry cannot be asked (default 5)')
    .option('--denied-publish <how>', 'close (default) or acknowledge what MQTT 3.1.1 may not publish')
    .option(
      '--broker-user-properties <where>',
      'say who a client is in connections (default) or in messages of MQTT 5 too',
    )
    .option('--session-tickets', 'offer TLS session tickets')
    .option('--config <file>', 'settings in YAML (default handfast.yaml, if it is there)')
    .option('--ready-file <file>', 'write the addresses there as JSON once the gate serves')
    .option('--log-level <level>', 'debug, info, warn, error or silent (default info)')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nWithout a subcommand it runs a gate on this machine for a hub on another one:\ndocs/gates.md has the steps. Every option is also a setting in handfast.yaml and\na variable: --hub is HANDFAST_HUB.',
    )
    .enablePositionalOptions()
    .allowExcessArguments()
    .action((options: Readonly<Record<string, unknown>>) => {
      const [word] = command.args
      if (word !== undefined) throw unknownWord(word, command)
      return runGate(options)
    })
}

function unknownWord(word: string, { commands }: Command): HubError {
  const names = commands.map((each) => each.name())
  const meant = nearest(word, names)
  const hint = meant === null ? `it has ${names.join(', ')}` : `did you mean \`handfast gate ${meant}\`?`
  return new HubError('usage', `${quote(word)} is not a subcommand of \`handfast gate\``, { hint })
}

async function runGate(options: Readonly<Record<string, unknown>>): Promise<void> {
  const { resolveGateConfig } = await import('../../../config/resolve.ts')
  const { config: file, json, ...flags } = options
  const config = resolveGateConfig({
    flags: kebabCased(flags),
    env: process.env,
    file: typeof file === 'string' ? file : process.env.HANDFAST_CONFIG || null,
    directory: process.cwd(),
  })
  const bootstrap = bootstrapFrom(config)
  // Threads and reports of crashes copy the environment.
  for (const secret of ['HANDFAST_BOOTSTRAP', 'HANDFAST_DATABASE_URL']) delete process.env[secret]
  const [{ startLoneGate }, { makeLog }] = await Promise.all([
    import('../../../compose/gates/lone-gate.ts'),
    import('../../log.ts'),
  ])
  const log = makeLog(config.logLevel)
  const stopping = stopOnSignal(log)
  const gate = await startLoneGate({ config, bootstrap, log })
  try {
    const { stop: _stop, ...facts } = gate
    const [mqtt = null] = gate.listeners
    if (config.readyFile !== null) writeReadyFile(config.readyFile, { mqtt, ca: gate.caPath })
    if (json) printJson(facts)
    else announce(gate, config)
    await stopping
  } finally {
    await gate.stop()
  }
  process.exit(exitStatus.ok)
}

/** Nobody has to remove the file after the first start: one that is gone is none, one that was used here is known. */
function bootstrapFrom({ bootstrapFile }: GateConfig): Bootstrap | null {
  const { HANDFAST_BOOTSTRAP: variable } = process.env
  if (bootstrapFile === null)
    return variable
      ? parsed(new Secret(variable), 'HANDFAST_BOOTSTRAP holds the whole string that `handfast gate add` printed')
      : null
  const text = bootstrapText(bootstrapFile)
  return text === null
    ? null
    : parsed(text, `the whole string that \`handfast gate add\` printed stands in ${quote(bootstrapFile)}`)
}

/** Null where there is no such file. */
function bootstrapText(bootstrapFile: string): Secret | null {
  try {
    if (statSync(bootstrapFile).size <= bootstrapBytesMax) {
      return new Secret(readFileSync(bootstrapFile, 'utf8'))
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return null
    throw new HubError('config-invalid', `the bootstrap file ${quote(bootstrapFile)} cannot be read (${code})`, {
      hint: 'name a file that this user may read',
    })
  }
  throw new HubError(
    'config-invalid',
    `the bootstrap file ${quote(bootstrapFile)} is too long to hold a bootstrap string`,
  )
}

function parsed(text: Secret, wanted: string): Bootstrap {
  try {
    return parseBootstrap(text)
  } catch (error) {
    if (!(error instanceof HubError)) throw error
    throw new HubError(error.code, error.message, { hint: `see that ${wanted}`, cause: error })
  }
}

const bootstrapBytesMax = 4 * 1024

function stopOnSignal(log: HubLog): Promise<void> {
  return new Promise((resolve) => {
    onStopSignal((signal) => {
      log.info('stopping', { signal })
      resolve()
    })
  })
}

function announce(gate: LoneGate, { hub }: GateConfig): void {
  const [name = 'localhost'] = gate.names
  printLine(`The gate ${gate.id} is ready.`)
  printLine()
  printFields([
    ...gate.listeners.map((listener): [string, string] => [`  ${listener.name}`, listenerUrl(name, listener)]),
    ['  hub', `${hostAndPort(hub)}, ${gate.linkFault === null ? 'linked' : 'not linked yet'}`],
    ['  CA file', gate.caPath],
  ])
  if (gate.linkFault !== null) warn(`${gate.linkFault}; it is tried again`)
}

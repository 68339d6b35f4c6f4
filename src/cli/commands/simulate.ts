/** `handfast simulate`: devices that enrol, connect, send readings, renew and are revoked. */
import type { Command } from 'commander'
import type { BootstrapView } from '../../api-schema/views.ts'
import { HubError, quote } from '../../core/errors.ts'
import { failure } from '../../core/failure/catalogue.ts'
import { exitStatus } from '../../core/failure/wire-forms.ts'
import { isIdentityId } from '../../core/identity/id.ts'
import { Secret } from '../../core/secret.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../hub-options.ts'
import { printJsonLine } from '../output.ts'
import { printSummary, type Reporter, reporterFor } from '../simulation-report.ts'
import { onStopSignal } from '../stop-signal.ts'
import { duration, wholeNumber } from '../values.ts'

interface SimulateOptions extends HubOptions {
  readonly devices: number
  readonly prefix: string
  readonly count?: number
  readonly interval: number
  /** Seconds. */
  readonly for?: number
  readonly renewEvery?: number
  readonly revoke?: number
  readonly clockSkew?: number
  readonly dir?: string
}

export function define(command: Command): void {
  addHubOptions(command)
    .requiredOption('--devices <n>', 'how many devices', wholeNumber('--devices', 1, 10_000))
    .option('--prefix <text>', 'their ids begin with it', 'sim-')
    .option(
      '--count <n>',
      'readings of each device; without it they send until interrupted',
      wholeNumber('--count', 1, 1e9),
    )
    .option(
      '--interval <ms>',
      'milliseconds between two readings of a device',
      wholeNumber('--interval', 1, 86_400_000),
      1_000,
    )
    .option('--for <time>', 'end this long after all have enrolled', duration('--for', '1s', '30d'))
    .option(
      '--renew-every <time>',
      'each renews its certificate so often; without it at two thirds of the life of the certificate',
      duration('--renew-every', '1s', '30d'),
    )
    .option('--revoke <n>', 'revoke so many while they send, one a second', wholeNumber('--revoke', 1, 10_000))
    .option(
      '--clock-skew <time>',
      'clocks of devices are ahead or behind by up to this',
      duration('--clock-skew', '1s', '3650d'),
    )
    .option('--dir <dir>', 'keep keys and certificates there, for the next run')
    .addHelpText(
      'after',
      [
        '',
        'It ends with status 1 where a device did not enrol, was refused for good, or was revoked and is not out.',
        'Devices that it revokes stay revoked: another run takes other ids with --prefix.',
      ].join('\n'),
    )
    .action(run)
}

async function run(options: SimulateOptions): Promise<void> {
  assertPrefix(options)
  if (options.revoke !== undefined && options.revoke > options.devices) {
    throw new HubError('usage', `--revoke ${options.revoke} is more than the ${options.devices} devices there are`)
  }
  const hub = hubOf(options)
  const { simulate } = await import('../../simulate/simulate.ts')
  const stop = new AbortController()
  onStopSignal(() => stop.abort())
  const reporter: Reporter = options.json
    ? { event: printJsonLine, end: () => {} }
    : reporterFor({ devices: options.devices, prefix: options.prefix, count: options.count })
  const summary = await simulate({
    registry: {
      register: async (id) => bootstrapOf(await hub.post<BootstrapView>('/devices', { id })),
      newBootstrap: async (id) => bootstrapOf(await hub.post<BootstrapView>(`/devices/${pathPart(id)}/tokens`, {})),
      revoke: async (id) => {
        await hub.post(`/devices/${pathPart(id)}/revoke`, {})
      },
    },
    devices: options.devices,
    prefix: options.prefix,
    count: options.count ?? null,
    intervalMs: options.interval,
    durationMs: inMs(options.for),
    renewEveryMs: inMs(options.renewEvery),
    revoke: options.revoke ?? 0,
    clockSkewMs: inMs(options.clockSkew) ?? 0,
    directory: options.dir ?? null,
    random: Math.random,
    signal: stop.signal,
    report: reporter.event,
  })
  reporter.end()
  if (options.json) printJsonLine({ kind: 'summary', ...summary })
  else printSummary(summary)
  process.exitCode = summary.failed.length === 0 ? exitStatus.ok : exitStatus.failed
}

function inMs(seconds: number | undefined): number | null {
  return seconds === undefined ? null : seconds * 1_000
}

function bootstrapOf(view: BootstrapView): Secret {
  return new Secret(view.bootstrap)
}

/** The longest id stands for all of them. */
function assertPrefix({ prefix, devices }: SimulateOptions): void {
  if (isIdentityId(`${prefix}${devices}`)) return
  throw new HubError('usage', `--prefix ${quote(prefix)} cannot begin the id of a device`, {
    hint: failure('identity-id-invalid').cure,
  })
}

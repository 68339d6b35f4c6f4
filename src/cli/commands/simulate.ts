/** `handfast simulate`: devices that enrol, connect and send readings. */
import type { Command } from 'commander'
import type { BootstrapView } from '../../api-schema/views.ts'
import { HubError, quote } from '../../core/errors.ts'
import { failure } from '../../core/failure/catalogue.ts'
import { exitStatus } from '../../core/failure/wire-forms.ts'
import { isIdentityId } from '../../core/identity/id.ts'
import { Secret } from '../../core/secret.ts'
import type { SimulationEvent, SimulationSummary } from '../../simulate/simulate.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../hub-options.ts'
import { printJsonLine, printLine, shortTime } from '../output.ts'
import { onStopSignal } from '../stop-signal.ts'
import { wholeNumber } from '../values.ts'

interface SimulateOptions extends HubOptions {
  readonly devices: number
  readonly prefix: string
  readonly count?: number
  readonly interval: number
  readonly dir?: string
}

/** With more devices than this, a line for each reading tells nobody anything. */
const talkativeDevicesMax = 10

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
    .option('--dir <dir>', 'keep keys and certificates there, for the next run')
    .action(run)
}

async function run(options: SimulateOptions): Promise<void> {
  assertPrefix(options)
  const hub = hubOf(options)
  const { simulate } = await import('../../simulate/simulate.ts')
  const stop = new AbortController()
  onStopSignal(() => stop.abort())
  const reporter = reporterFor(options)
  const summary = await simulate({
    registry: {
      register: async (id) => bootstrapOf(await hub.post<BootstrapView>('/devices', { id })),
      newBootstrap: async (id) => bootstrapOf(await hub.post<BootstrapView>(`/devices/${pathPart(id)}/tokens`, {})),
    },
    devices: options.devices,
    prefix: options.prefix,
    count: options.count ?? null,
    intervalMs: options.interval,
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

interface Reporter {
  event(event: SimulationEvent): void
  end(): void
}

function reporterFor({ json, devices, prefix, count }: SimulateOptions): Reporter {
  if (json) return { event: printJsonLine, end: () => {} }
  const widths = { id: `${prefix}${devices}`.length, count: String(count ?? 1_000).length }
  const lineOf = (event: SimulationEvent): string =>
    `${shortTime(new Date().toISOString())}  ${event.id.padEnd(widths.id)}  ${textOf(event, widths.count)}`
  if (devices <= talkativeDevicesMax) return { event: (event) => printLine(lineOf(event)), end: () => {} }
  return progressLine(lineOf)
}

function textOf(event: SimulationEvent, countWidth: number): string {
  switch (event.kind) {
    case 'enrolled':
      return 'has its certificate'
    case 'enrolment-failed':
      return `did not enrol: ${event.reason}`
    case 'connected':
      return 'connected'
    case 'sent': {
      const { messageId, temperature, humidity, temperatureAlert } = event.reading
      // People count from 1; a device counts its messages from 0.
      return `sent ${String(messageId + 1).padStart(countWidth)}: ${temperature} °C, ${humidity} %${temperatureAlert ? ', alert' : ''}`
    }
    case 'refused':
      return `refused: ${event.reason}${event.isFinal ? '' : ' (trying again)'}`
    case 'lost':
      return `lost its connection: ${event.reason}`
  }
}

/** Milliseconds between two updates of the progress line. */
const progressMs = 200

/** Counts on one line of a terminal; refusals stand on lines of their own, wherever the output goes. */
function progressLine(lineOf: (event: SimulationEvent) => string): Reporter {
  const counts = { enrolled: 0, connected: 0, sent: 0 }
  let shownAtMs = 0
  const clear = (): void => {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
  }
  const show = (): void => {
    if (!process.stderr.isTTY || performance.now() - shownAtMs < progressMs) return
    shownAtMs = performance.now()
    clear()
    process.stderr.write(`${counts.enrolled} enrolled, ${counts.connected} connects, ${counts.sent} readings`)
  }
  return {
    event: (event) => {
      if (event.kind === 'enrolled' || event.kind === 'connected' || event.kind === 'sent') {
        counts[event.kind] += 1
      } else {
        clear()
        printLine(lineOf(event))
      }
      show()
    },
    end: clear,
  }
}

function printSummary({ devices, enrolled, sent, failed }: SimulationSummary): void {
  printLine(`${enrolled} of ${devices} devices enrolled, ${sent} readings acknowledged, ${failed.length} failed`)
  for (const { id, reason } of failed.slice(0, talkativeDevicesMax)) printLine(`  ${id}: ${reason}`)
  if (failed.length > talkativeDevicesMax) printLine(`  and ${failed.length - talkativeDevicesMax} more`)
}

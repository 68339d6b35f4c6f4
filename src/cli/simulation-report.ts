/** How a person follows a simulation: a line for each event of a few devices, one line of counts for many, and the sums at the end. */
import type { SimulationEvent, SimulationSummary } from '../simulate/simulate.ts'
import { printLine, shortTime } from './output.ts'

export interface Reporter {
  event(event: SimulationEvent): void
  end(): void
}

/** With more devices than this, a line for each reading tells nobody anything. */
const talkativeDevicesMax = 10
/** Milliseconds between two updates of the counts: on a terminal in place, elsewhere as another line. */
const updateMs = { terminal: 200, elsewhere: 10_000 }

export function reporterFor(fleet: {
  readonly devices: number
  readonly prefix: string
  readonly count: number | undefined
}): Reporter {
  const widths = {
    id: `${fleet.prefix}${fleet.devices}`.length,
    count: String(fleet.count ?? 1_000).length,
  }
  const lineOf = (event: SimulationEvent): string =>
    `${shortTime(new Date().toISOString())}  ${event.id.padEnd(widths.id)}  ${textOf(event, widths.count)}`
  if (fleet.devices > talkativeDevicesMax) return progressLine(lineOf)
  return { event: (event) => printLine(lineOf(event)), end: () => {} }
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
    case 'renewed':
      return 'renewed its certificate'
    case 'renewal-failed':
      return `could not renew: ${event.reason} (trying again)`
    case 'revoked':
      return 'is revoked'
    case 'refused':
      return `refused: ${event.reason}${event.isFinal ? '' : ' (trying again)'}`
    case 'lost':
      return `lost its connection: ${event.reason}`
  }
}

/** Milliseconds in which the same happening to several devices is told once, with their number. */
const togetherMs = 1_000

/** Counts on one line; what went wrong stands on lines of its own, those of many devices together. */
function progressLine(lineOf: (event: SimulationEvent) => string): Reporter {
  const isTerminal = process.stderr.isTTY
  const counts = { enrolled: 0, connected: 0, sent: 0, renewed: 0, revoked: 0 }
  const repeated = new Map<string, number>()
  let shownAtMs = performance.now()
  let toldAtMs = performance.now()
  const clear = (): void => {
    if (isTerminal) process.stderr.write('\r\u001b[K')
  }
  const show = (): void => {
    if (performance.now() - shownAtMs < (isTerminal ? updateMs.terminal : updateMs.elsewhere)) return
    shownAtMs = performance.now()
    clear()
    const renewed = counts.renewed === 0 ? '' : `, ${counts.renewed} renewals`
    const revoked = counts.revoked === 0 ? '' : `, ${counts.revoked} revoked`
    const line = `${counts.enrolled} enrolled, ${counts.connected} connects, ${counts.sent} readings${renewed}${revoked}`
    process.stderr.write(isTerminal ? line : `${line}\n`)
  }
  const tellRepeated = (): void => {
    toldAtMs = performance.now()
    for (const [what, times] of repeated) {
      clear()
      if (times > 0) printLine(`  and ${times} more: ${what}`)
    }
    repeated.clear()
  }
  const tell = (event: SimulationEvent): void => {
    const what = textOf(event, 1)
    const times = repeated.get(what)
    repeated.set(what, times === undefined ? 0 : times + 1)
    if (times !== undefined) return
    clear()
    printLine(lineOf(event))
  }
  return {
    event: (event) => {
      if (event.kind in counts) counts[event.kind as keyof typeof counts] += 1
      else tell(event)
      if (performance.now() - toldAtMs >= togetherMs) tellRepeated()
      show()
    },
    end: () => {
      tellRepeated()
      clear()
    },
  }
}

export function printSummary(summary: SimulationSummary): void {
  const { devices, enrolled, sent, acknowledgedMs, renewals, revocations, lost, failed } = summary
  printLine(`${enrolled} of ${devices} devices enrolled, ${sent} readings acknowledged, ${failed.length} failed`)
  if (acknowledgedMs !== null) {
    printLine(
      `readings were acknowledged in ${duration(acknowledgedMs.median)} (median), ${duration(acknowledgedMs.p99)} (99 of 100)`,
    )
  }
  if (renewals.done + renewals.failed > 0) printLine(`${renewals.done} renewals, ${renewals.failed} that failed`)
  if (revocations.asked > 0) {
    const { closedAfterMs } = revocations
    const after =
      closedAfterMs === null
        ? ''
        : `; closed in ${duration(closedAfterMs.median)} (median), ${duration(closedAfterMs.most)} (slowest)`
    printLine(`${revocations.out} of ${revocations.asked} revoked devices are out${after}`)
  }
  if (lost > 0) printLine(`${lost} connections were lost that nobody had revoked`)
  for (const { id, reason } of failed.slice(0, talkativeDevicesMax)) printLine(`  ${id}: ${reason}`)
  if (failed.length > talkativeDevicesMax) printLine(`  and ${failed.length - talkativeDevicesMax} more`)
  // One stands for those that differ in their id alone.
  const hint = failed.find((each) => each.hint !== undefined)?.hint
  if (hint !== undefined) printLine(`  → ${hint}`)
}

function duration(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`
}

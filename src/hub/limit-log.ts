/**
 * A log that nobody can flood. Messages are fixed texts, so lines of the same message are the same news: beyond a few in a
 * while they are counted, and the count is told at its end.
 */
import { limits } from '../core/limits.ts'
import type { Clock } from './ports/clock.ts'
import type { Log, LogFields } from './ports/log.ts'

/** What an operator did over the API: each stands in the log, however many there are. */
export const adminActMessage = 'admin act'

type Level = keyof Log

/** Lines of one message within one while. */
interface Tally {
  readonly sinceMs: number
  lines: number
  leftOut: number
}

export interface LimitedLog extends Log {
  /** Tells now what was left out. */
  flush(): void
}

export function limitLog(log: Log, clock: Clock): LimitedLog {
  const tallies = new Map<string, Tally>()
  let timer: NodeJS.Timeout | null = null

  function write(level: Level, message: string, fields: LogFields | undefined): void {
    const tally = tallyOf(level, message)
    tally.lines += 1
    const linesMax = level === 'debug' ? limits.logDebugLinesMax : limits.logLinesMax
    if (tally.lines <= linesMax || message === adminActMessage) log[level](message, fields)
    else leaveOut(tally)
  }

  function tallyOf(level: Level, message: string): Tally {
    const name = `${level} ${message}`
    const nowMs = clock.nowMs()
    const known = tallies.get(name)
    // A clock that was set back must not make a while last a year.
    if (known !== undefined && Math.abs(nowMs - known.sinceMs) < limits.logWindowMs) return known
    if (known !== undefined) tell(name, known)
    const tally = { sinceMs: nowMs, lines: 0, leftOut: 0 }
    tallies.set(name, tally)
    return tally
  }

  function leaveOut(tally: Tally): void {
    tally.leftOut += 1
    timer ??= setTimeout(flush, limits.logWindowMs).unref()
  }

  function flush(): void {
    if (timer !== null) clearTimeout(timer)
    timer = null
    for (const [name, tally] of tallies) tell(name, tally)
    tallies.clear()
  }

  function tell(name: string, { leftOut }: Tally): void {
    if (leftOut === 0) return
    const level = name.slice(0, name.indexOf(' ')) as Level
    log[level]('lines were left out because there were too many', {
      of: name.slice(level.length + 1),
      count: leftOut,
    })
  }

  return {
    debug: (message, fields) => write('debug', message, fields),
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
    flush,
  }
}

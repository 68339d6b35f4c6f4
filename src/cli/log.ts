/**
 * Log lines of the hub on standard error, a fixed message with fields: one JSON object a line, or plain text where a
 * person watches.
 */
import { type DestinationStream, destination, pino } from 'pino'
import { printable } from './printable.ts'

type Fields = Readonly<Record<string, unknown>>

/** The log that a hub writes to. */
export interface HubLog {
  debug(message: string, fields?: Fields): void
  info(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  error(message: string, fields?: Fields): void
}

export function makeLog(level: 'debug' | 'info' | 'warn' | 'error' | 'silent'): HubLog {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    errorKey: 'error',
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: pino.stdSerializers.errWithCause },
  }
  const log = pino(options, process.stderr.isTTY ? terminal : destination({ fd: 2, sync: true }))
  return {
    debug: (message, fields) => log.debug(fields ?? {}, message),
    info: (message, fields) => log.info(fields ?? {}, message),
    warn: (message, fields) => log.warn(fields ?? {}, message),
    error: (message, fields) => log.error(fields ?? {}, message),
  }
}

const terminal: DestinationStream = {
  write: (line) => {
    process.stderr.write(`${plainLine(line)}\n`)
  },
}

/** A line of JSON as a person reads it: time of day, level, message, fields. */
export function plainLine(json: string): string {
  const { level, time, msg, ...fields } = JSON.parse(json) as Readonly<Record<string, unknown>>
  const clock = String(time).slice(11, 19)
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${fieldText(value)}`)
  const text = [`${clock} ${String(level).padEnd(5)} ${msg}`, ...pairs].join('  ')
  return printable(text).replaceAll('\n', ' ')
}

function fieldText(value: unknown): string {
  if (typeof value === 'string') return value
  const message: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'message') : undefined
  return typeof message === 'string' ? message : (JSON.stringify(value) ?? '-')
}

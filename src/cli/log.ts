/** Log lines of the hub: one JSON object a line on standard error, a fixed message with fields. */
import { destination, pino } from 'pino'

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
  const log = pino(options, destination({ fd: 2, sync: true }))
  return {
    debug: (message, fields) => log.debug(fields ?? {}, message),
    info: (message, fields) => log.info(fields ?? {}, message),
    warn: (message, fields) => log.warn(fields ?? {}, message),
    error: (message, fields) => log.error(fields ?? {}, message),
  }
}

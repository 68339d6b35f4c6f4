/** What a log line may carry beside its fixed message. Never a secret, never a whole request. */
export type LogFields = Readonly<Record<string, unknown>>

/** Where the hub reports. Messages are fixed texts; what varies is in the fields. */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

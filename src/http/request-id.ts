/** A name for one HTTP request: it stands in the lines that the hub logs about it and, as `instance`, in its problem. */
import { randomBytes } from 'node:crypto'

/** 16 lower-case hexadecimal characters. Not taken from the client: whoever asks must not write into the log. */
export function newRequestId(): string {
  return randomBytes(8).toString('hex')
}

/** The `instance` of a problem (RFC 9457 §3.1.5). */
export function instanceOf(requestId: string): string {
  return `urn:handfast:request:${requestId}`
}

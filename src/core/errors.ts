import { type FailureName, failure } from './failure/catalogue.ts'

/** One thing that is wrong with a request, for programs that show it beside the field. */
export interface Fault {
  /** Which part of the request it stands in. */
  readonly in: 'body' | 'query' | 'path' | 'header'
  /** JSON Pointer (RFC 6901) to the field in the body, or "/" and the name of the parameter; empty for the whole part. */
  readonly pointer: string
  /** What is wrong with it, lower case, without its name. */
  readonly message: string
}

/** What a `HubError` may carry beside its code and message. */
export interface HubErrorDetail {
  /** The next action for the person who reads the error; defaults to the cure in the catalogue. */
  readonly hint?: string
  /** Every fault of a request that is refused for its content. */
  readonly faults?: readonly Fault[]
  /** After how many whole seconds the same may be tried again, where that is known; at least 1. */
  readonly retryAfterSec?: number
  /** What went wrong below. It goes to the log, never onto the wire. */
  readonly cause?: unknown
}

/**
 * An expected failure. Its code is one of the closed list in `core/failure`; every front end turns that code into its
 * own wire form through the catalogue.
 *
 * Messages are lower case, quote the offending value through {@link quote} and hold no secret.
 */
export class HubError extends Error {
  override readonly name = 'HubError'
  readonly code: FailureName
  readonly hint: string
  readonly faults: readonly Fault[]
  readonly retryAfterSec: number | null

  constructor(code: FailureName, message: string, detail: HubErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.code = code
    this.hint = detail.hint ?? failure(code).cure
    this.faults = detail.faults ?? []
    this.retryAfterSec = detail.retryAfterSec ?? null
  }
}

/** Longest part of a foreign value that an error message repeats, in UTF-16 code units. */
const QUOTED_LENGTH_MAX = 80

/**
 * A foreign value made safe to stand in a message: in double quotes, control characters escaped, cut at
 * {@link QUOTED_LENGTH_MAX} with an ellipsis.
 */
export function quote(value: unknown): string {
  return escaped(JSON.stringify(cut(typeof value === 'string' ? value : String(value))))
}

/** The same for a value of a file of settings: text in quotes, anything else as JSON, so that a list looks like one. */
export function quoteValue(value: unknown): string {
  return typeof value === 'string' ? quote(value) : escaped(cut(JSON.stringify(value) ?? String(value)))
}

function cut(text: string): string {
  return text.length > QUOTED_LENGTH_MAX ? `${text.slice(0, QUOTED_LENGTH_MAX)}…` : text
}

function escaped(text: string): string {
  return text.replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** The error to throw where our own code was called wrongly; it is never shown as a diagnosis. */
export class CodingError extends Error {
  override readonly name = 'CodingError'
}

/** Asserts what only a mistake of ours could break. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new CodingError(message)
}

/**
 * An operation as data: what is asked, what is answered and how it is refused. The routes of the hub are made from these,
 * and so is the OpenAPI document, so that neither can say something else.
 */
import { z } from 'zod'
import type { Act } from '../core/authorisation/act.ts'
import type { FailureName } from '../core/failure/catalogue.ts'

/** A body that is a JSON value. */
export interface JsonContent<Schema extends z.ZodType> {
  readonly kind: 'json'
  /** Media types that carry it; the first is the usual one. */
  readonly types: readonly string[]
  readonly schema: Schema
  /** False where the request may have no body at all. */
  readonly required: boolean
  readonly example: unknown
}

/** A body that is text of some other kind, each media type with an example. */
export interface TextContent {
  readonly kind: 'text'
  readonly types: Readonly<Record<string, { readonly description: string; readonly example: string }>>
  /** What each line of `application/x-ndjson` is. */
  readonly line?: z.ZodType
}

/** What an operation answers when it succeeds. */
export type AnswerContent<Schema extends z.ZodType> = (
  | { readonly kind: 'json'; readonly schema: Schema; readonly example: z.output<Schema> }
  | TextContent
) & {
  readonly status: 200 | 201
  readonly description: string
}

/** Who may ask: nobody needs a key, the holder of an API key, of an enrolment token, of a certificate shown to TLS. */
export type Permission = 'anybody' | 'key' | 'token' | 'certificate'

export interface Operation<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Answer extends z.ZodType = z.ZodType,
> {
  /** Unique, in camel case: the name of the function in a generated client. */
  readonly id: string
  readonly method: 'GET' | 'POST' | 'PATCH'
  /** With parameters in braces, as in /api/v1/devices/{id}. */
  readonly path: string
  readonly tag:
    | 'devices'
    | 'services'
    | 'users'
    | 'certificates'
    | 'authorities'
    | 'policy'
    | 'access'
    | 'records'
    | 'hub'
    | 'enrolment'
    | 'verifiers'
  /** A few words. */
  readonly summary: string
  /** All that a stranger must know. */
  readonly description: string
  readonly permission: Permission
  /**
   * What it does, in the words of core/authorisation/act.ts, which say who may; null only where no key is needed. Choose the act
   * whose sentence fits, or add one there. Where the act is done to identities and the path names one (`{id}`, `{serial}`), that
   * is looked after; else the handler asks `access` about each target, and an operation that forgets to does nothing.
   */
  readonly act: Act | null
  readonly params: Params
  readonly query: Query
  /** Objects in the query whose fields are written with a dot, as in `attr.site=hall-2`. */
  readonly dotted: readonly string[]
  readonly body: JsonContent<Body> | TextContent | null
  /** The longest body where it is another than `limits.apiBodyBytesMax`. */
  readonly bodyBytesMax: number | null
  readonly answer: AnswerContent<Answer>
  /**
   * Whether its transactions are its own, in which it asks once more and keeps its answer: where it signs, what it is about to
   * sign must be on disk before; where something is slow, nobody else's writing waits for that.
   */
  readonly transacts: boolean
  /** Whether it takes an `Idempotency-Key`, because it acts. */
  readonly keyed: boolean
  /** Whether its work is more than one transaction, as where keys are made: its answer is kept after it. */
  readonly isLong: boolean
  /** Whether `If-Match` is required. */
  readonly conditional: boolean
  /** Whether the answer has an ETag; a GET then takes `If-None-Match`. */
  readonly tagged: boolean
  /** Its own failures; what can happen to any request is added by `failuresOf`. */
  readonly failures: readonly FailureName[]
}

type Given<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType, Answer extends z.ZodType> = Pick<
  Operation<Params, Query, Body, Answer>,
  'id' | 'method' | 'path' | 'tag' | 'summary' | 'description' | 'act' | 'answer'
> &
  Partial<Operation<Params, Query, Body, Answer>>

const nothing = z.strictObject({})
type Nothing = typeof nothing

/** An operation with what goes without saying: a key is needed, nothing is asked, nothing is particular. */
export function operation<
  Params extends z.ZodType = Nothing,
  Query extends z.ZodType = Nothing,
  Body extends z.ZodType = Nothing,
  Answer extends z.ZodType = Nothing,
>(given: Given<Params, Query, Body, Answer>): Operation<Params, Query, Body, Answer> {
  return {
    permission: 'key',
    params: nothing as unknown as Params,
    query: nothing as unknown as Query,
    dotted: [],
    body: null,
    bodyBytesMax: null,
    transacts: false,
    keyed: false,
    isLong: false,
    conditional: false,
    tagged: false,
    failures: [],
    ...given,
  }
}

/** A JSON body that must be there. */
export function jsonBody<Schema extends z.ZodType>(schema: Schema, example: z.input<Schema>): JsonContent<Schema> {
  return { kind: 'json', types: ['application/json'], schema, required: true, example }
}

/** A JSON body that may be left out, which means `{}`. */
export function optionalBody<Schema extends z.ZodType>(schema: Schema, example: z.input<Schema>): JsonContent<Schema> {
  return { ...jsonBody(schema, example), required: false }
}

/** What can happen to whoever shows a key or a certificate. */
const callersFailures = [
  'key-missing',
  'key-invalid',
  'key-expired',
  'caller-refused',
  'role-forbids',
  'requests-too-many',
  'rate-limited',
] as const

/** Every failure that an operation may answer with: its own, and what can happen to any request of its kind. */
export function failuresOf({
  permission,
  params,
  query,
  body,
  keyed,
  conditional,
  failures,
}: Operation): readonly FailureName[] {
  const asks = body !== null || params !== nothing || query !== nothing || keyed || conditional
  return [
    ...(permission === 'key' ? callersFailures : []),
    ...(asks && permission === 'key' ? (['request-invalid'] as const) : []),
    ...(body === null ? [] : (['request-too-large', 'request-late'] as const)),
    ...(body === null || permission !== 'key' ? [] : (['media-type-unsupported'] as const)),
    ...(keyed ? (['idempotency-key-reused'] as const) : []),
    ...(conditional ? (['precondition-required', 'precondition-failed'] as const) : []),
    ...failures,
    ...(permission === 'anybody' ? [] : (['store-unavailable'] as const)),
    ...(body === null ? [] : (['journal-unavailable'] as const)),
    'internal',
  ]
}

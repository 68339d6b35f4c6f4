/** Routes from operations: what an operation says is what its route parses, answers and keeps. */
import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { Operation } from '../../api-schema/operation.ts'
import { acts } from '../../core/authorisation/act.ts'
import { HubError, quote } from '../../core/errors.ts'
import { parseIdentityId } from '../../core/identity/id.ts'
import { limits } from '../../core/limits.ts'
import type { Access } from '../../hub/authorise.ts'
import {
  answerAfter,
  answerOnce,
  answerOnceWithin,
  type KeepAnswer,
  type KeyedRequest,
  storeWithin,
} from '../../hub/kept-answers.ts'
import type { Clock } from '../../hub/ports/clock.ts'
import type { Observer } from '../../hub/ports/observer.ts'
import type { Random } from '../../hub/ports/random.ts'
import type { Store, Transaction } from '../../hub/ports/store.ts'
import { matchesTag } from '../entity-tag.ts'
import type { Callers } from './authenticate.ts'
import { type Parsed, parseRequest } from './parse-request.ts'
import { parseSerial } from './serial.ts'

export interface ApiHub {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly observer: Pick<Observer, 'actRefused'>
}

/** What all routes of one listener share. */
export interface ApiListener {
  readonly app: FastifyInstance
  readonly hub: ApiHub
  readonly callers: Callers
}

/** A request as its operation wants it. */
export interface Asked<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType>
  extends Parsed<Params, Query, Body> {
  /** For the audit log. */
  readonly actor: string
  /** What the caller may do, to be asked about targets that the path does not name. */
  readonly access: Access
  /** Where the act is done: with an idempotency key, its store belongs to the transaction that keeps the answer. */
  readonly hub: ApiHub
  /** For an operation that transacts: keeps its answer in its last transaction. Others need not care. */
  readonly keep: KeepAnswer
  /** The header `If-Match`, where the operation wants one. */
  readonly ifMatch: string
}

/** What is answered, as it is kept for an idempotency key. */
export interface Answered<Body> {
  readonly body: Body
  /** The entity tag, quotes included. */
  readonly tag?: string
}

/** Registers the route of an operation whose body and answer are JSON. */
export function serve<
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType,
  Answer extends z.ZodType,
>(
  { app, hub, callers }: ApiListener,
  operation: Operation<Params, Query, Body, Answer>,
  handle: (asked: Asked<Params, Query, Body>) => Promise<Answered<z.output<Answer>>>,
): void {
  app.route({
    method: operation.method,
    url: fastifyPath(operation.path),
    config: { operation: operation.id, act: operation.act },
    ...(operation.bodyBytesMax === null ? {} : { bodyLimit: operation.bodyBytesMax }),
    async handler(request, reply) {
      assertMediaType(operation, request)
      const parsed = parseRequest(operation, request)
      const caller = callers.of(request)
      const access = callers.accessOf(request)
      const given = { actor: caller.actor, access, hub, keep: async () => {}, ifMatch: ifMatchOf(operation, request) }
      const asked = { ...parsed, ...given }
      const work = (store: Store) => handle({ ...asked, hub: { ...hub, store } })
      const key = operation.keyed ? idempotencyKey(request) : null
      const requestHash = hashOf(operation, { ...parsed, ifMatch: asked.ifMatch, reach: access.reach() })
      if (key !== null && operation.transacts) {
        const { answer, replayed } = await answerOnceWithin(hub, { caller, key, requestHash }, (keep) =>
          authorised(hub.store, operation, access, parsed.params, () => handle({ ...asked, keep })),
        )
        if (replayed) reply.header('Idempotency-Replayed', 'true')
        return send(request, reply, operation, answer)
      }
      if (key === null) {
        return send(request, reply, operation, await authorised(hub.store, operation, access, parsed.params, work))
      }
      const keyed: KeyedRequest = { caller, key, requestHash }
      const answerOf = operation.isLong ? answerAfter : answerOnce
      const { answer, replayed } = await answerOf(hub, keyed, (store) =>
        authorised(store, operation, access, parsed.params, work),
      )
      if (replayed) reply.header('Idempotency-Replayed', 'true')
      return send(request, reply, operation, answer)
    },
  })
}

/**
 * Does the work where it is allowed. Where that depends on the target, it is asked in the transaction of the act, and an act
 * that did not ask leaves nothing.
 *
 * @throws HubError `identity-not-found`, `credential-not-found`; what the work throws
 */
async function authorised<T>(
  store: Store,
  { method, transacts }: Pick<Operation, 'method' | 'transacts'>,
  access: Access,
  params: unknown,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  if (access.isUnbounded()) return work(store)
  if (method === 'GET' || transacts) {
    await reachNamed(access, store, params)
    const answer = await work(store)
    access.assertAsked()
    return answer
  }
  return store.write(async (tx) => {
    await reachNamed(access, tx, params)
    const answer = await work(storeWithin(store, tx))
    access.assertAsked()
    return answer
  })
}

/** Asks about the identity that the path names, or whose certificate it names. */
async function reachNamed(access: Access, registry: Store | Transaction, params: unknown): Promise<void> {
  const { id, serial } = params as { readonly id?: string; readonly serial?: string }
  if (acts[access.act].subject !== 'identity') return
  if (id !== undefined) await access.toIdentityNamed(registry, parseIdentityId(id))
  if (serial !== undefined) await access.toCertificate(registry, parseSerial(serial))
}

/** `/devices/{id}` as Fastify writes it. */
export function fastifyPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1')
}

/**
 * The header `Idempotency-Key`, or null.
 *
 * @throws HubError `request-invalid`
 */
export function idempotencyKey(request: FastifyRequest): string | null {
  const value = request.headers['idempotency-key']
  if (value === undefined) return null
  if (typeof value === 'string' && /^[!-~]+$/.test(value) && value.length <= limits.idempotencyKeyCharsMax) return value
  const message = `is not 1 to ${limits.idempotencyKeyCharsMax} visible ASCII characters`
  throw new HubError('request-invalid', `the Idempotency-Key ${message}`, {
    hint: 'send a random UUID, a new one for each request',
    faults: [{ in: 'header', pointer: '/Idempotency-Key', message }],
  })
}

/** SHA-256 of what is asked, the same for every way to write the same JSON. */
export function hashOf(operation: Pick<Operation, 'id'>, asked: unknown): Uint8Array {
  return createHash('sha256')
    .update(JSON.stringify([operation.id, sortedKeys(asked)]))
    .digest()
}

function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return entries.map(([name, each]) => [name, sortedKeys(each)])
}

/** @throws HubError `media-type-unsupported` for a body that another operation takes */
function assertMediaType({ body }: Operation, request: FastifyRequest): void {
  if (request.body === undefined || body === null) return
  const type = request.headers['content-type'] ?? ''
  const [media = ''] = type.toLowerCase().split(';')
  const types: readonly string[] = body.kind === 'json' ? body.types : Object.keys(body.types)
  if (types.includes(media.trim())) return
  throw new HubError('media-type-unsupported', `a body of type ${quote(type)} is not taken here`, {
    hint: `send ${types.join(' or ')}`,
  })
}

/** @throws HubError `precondition-required` */
function ifMatchOf({ conditional }: Operation, request: FastifyRequest): string {
  const value = request.headers['if-match']
  if (value !== undefined) return value
  if (!conditional) return '*'
  throw new HubError('precondition-required', 'the request does not say with If-Match which version it was made from')
}

function send(
  request: FastifyRequest,
  reply: FastifyReply,
  { answer }: Operation,
  { body, tag }: Answered<unknown>,
): FastifyReply {
  if (tag !== undefined) reply.header('ETag', tag)
  const isKnown = tag !== undefined && request.method !== 'POST' && matchesTag(request.headers['if-none-match'], tag)
  // What was read may be kept, if it is asked for again each time; what holds a secret may not.
  reply.header('Cache-Control', request.method === 'GET' && tag !== undefined ? 'private, no-cache' : 'no-store')
  if (isKnown && request.method !== 'PATCH') return reply.code(304).send()
  return reply.code(answer.status).send(body)
}

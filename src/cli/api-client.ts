/** The admin API from the outside: finds the hub and speaks to it. */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { HubError, quote } from '../core/errors.ts'
import { isFailureName } from '../core/failure/catalogue.ts'
import { connectionError, isLostConnection } from './connection-error.ts'
import { openRequest } from './exchange.ts'
import { asTyped } from './how-called.ts'
import { type HubLocation, locateHub, type WhereToLook } from './locate-hub.ts'

/** Milliseconds for one call: a hub under load signs and writes within a few seconds. */
const callMs = 30_000
/** The largest answer that is read: a page of 1,000 rows takes about 1 MiB. */
const answerBytesMax = 16 * 1024 * 1024
/** Milliseconds before an act whose connection was lost is asked for again: a hub that was restarted is back by then. */
const againAfterMs = 1_000

export type Query = Readonly<Record<string, string | number | undefined>>

export interface HubApi {
  /** How messages name the hub. */
  readonly place: string
  /** Where it is and what opens it, for requests that are no simple calls. */
  readonly location: HubLocation
  /** @throws HubError of the hub's own code when it refuses; `hub-not-found` when nothing answers */
  get<T>(path: string, query?: Query): Promise<T>
  /** Acts once: it is sent with an idempotency key, and once more where the connection was lost. */
  post<T>(path: string, body: unknown): Promise<T>
  /** Edits what has this entity tag, in the same way. @throws HubError `precondition-failed` */
  patch<T>(path: string, body: unknown, entityTag: string): Promise<T>
}

/**
 * The hub that HANDFAST_URL names, or the one that runs on the data directory of this machine.
 *
 * @throws HubError `hub-not-found`, `data-directory-unusable`, `usage`
 */
export function openHub(where: WhereToLook): HubApi {
  const hub = locateHub(where)
  return {
    place: hub.place,
    location: hub,
    get: <T>(path: string, query: Query = {}) => call<T>(hub, { method: 'GET', path: withQuery(path, query) }),
    post: <T>(path: string, body: unknown) => act<T>(hub, { method: 'POST', path: apiPath(path), body }),
    patch: <T>(path: string, body: unknown, entityTag: string) =>
      act<T>(hub, { method: 'PATCH', path: apiPath(path), body, headers: { 'If-Match': entityTag } }),
  }
}

interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH'
  /** With the query. */
  readonly path: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

function apiPath(path: string): string {
  return `/api/v1${path}`
}

function withQuery(path: string, query: Query): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value))
  const text = parameters.toString()
  return `${apiPath(path)}${text === '' ? '' : `?${text}`}`
}

/** A call that changes something: the key makes it safe to send it again, which is done once, and only where nobody knows. */
async function act<T>(hub: HubLocation, request: Call): Promise<T> {
  const keyed = { ...request, headers: { ...request.headers, 'Idempotency-Key': randomUUID() } }
  try {
    return await call<T>(hub, keyed)
  } catch (error) {
    if (!(error instanceof HubError) || !isLostConnection(error.cause)) throw error
  }
  await pause(againAfterMs)
  return call<T>(hub, keyed)
}

async function call<T>(hub: HubLocation, request: Call): Promise<T> {
  const { status, text } = await exchange(hub, request)
  const answer = parseJson(text)
  if (status >= 200 && status < 300 && answer !== undefined) return answer as T
  throw problemOf(hub, status, answer, deviceNamed(request.path, request.body))
}

/** The id of the device that a request is about, or null. */
function deviceNamed(path: string, body: unknown): string | null {
  const inPath = /^\/api\/v1\/devices\/([^/?]+)/.exec(path)?.[1]
  if (inPath !== undefined) return decodeURIComponent(inPath)
  const inBody: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'id') : null
  return typeof inBody === 'string' ? inBody : null
}

function exchange(hub: HubLocation, { method, path, body, headers }: Call): Promise<{ status: number; text: string }> {
  const sent = body === undefined ? undefined : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(connectionError(hub, error, callMs))
    const outgoing = openRequest(hub, {
      method,
      path,
      signal: AbortSignal.timeout(callMs),
      headers: {
        ...headers,
        ...(sent === undefined
          ? {}
          : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(sent) }),
      },
    })
    outgoing.on('error', fail)
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = []
      let bytes = 0
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        chunks.push(chunk)
        if (bytes > answerBytesMax) incoming.destroy(new Error(`the answer is larger than ${answerBytesMax} bytes`))
      })
      incoming.on('error', fail)
      incoming.on('end', () =>
        resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      )
    })
    outgoing.end(sent)
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** An answer that is no success: a problem (RFC 9457) with the hub's own code, or something that is not our hub's. */
export function problemOf(hub: HubLocation, status: number, answer: unknown, deviceId: string | null): HubError {
  const field = (name: string): string => {
    const value: unknown = typeof answer === 'object' && answer !== null ? Reflect.get(answer, name) : undefined
    return typeof value === 'string' ? value : ''
  }
  const [code, hint] = [field('code'), field('hint')]
  const detail = field('detail') || field('title')
  if (hub.kind === 'url' && code === 'not-found') {
    return new HubError('not-found', `${quote(hub.place)} is for enrolment or for CRLs, not for the admin API`, {
      hint: 'the admin API is where --api-listen put it; `handfast up` prints its address',
    })
  }
  if (isFailureName(code)) {
    // What the operator has to look up in the log is named as the log names it.
    const [, request] = /^urn:handfast:request:([0-9a-f]{16})$/.exec(field('instance')) ?? []
    const said = code === 'internal' && request !== undefined ? `${detail} (request ${request})` : detail
    return new HubError(code, said, hint === '' ? {} : { hint: asTyped(hint, deviceId) })
  }
  const said = detail === '' ? '' : `: ${detail} (${field('failureId')} ${code})`
  return new HubError('hub-answer-unexpected', `${hub.place} answered with status ${status}${said}`, {
    hint: hint || 'check that it is a Handfast hub of this version',
  })
}

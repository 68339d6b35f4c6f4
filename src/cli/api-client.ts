/** The admin API from the outside: finds the hub and speaks to it. */
import { request as plainRequest, type RequestOptions } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { HubError, quote } from '../core/errors.ts'
import { isFailureName } from '../core/failure/catalogue.ts'
import { type HubLocation, locateHub, type WhereToLook } from './locate-hub.ts'

/** Milliseconds for one call: a hub under load signs and writes within a few seconds. */
const callMs = 30_000
/** The largest answer that is read: a page of 1,000 rows takes about 1 MiB. */
const answerBytesMax = 16 * 1024 * 1024

export type Query = Readonly<Record<string, string | number | undefined>>

export interface HubApi {
  /** How messages name the hub. */
  readonly place: string
  /** @throws HubError of the hub's own code when it refuses; `hub-not-found` when nothing answers */
  get<T>(path: string, query?: Query): Promise<T>
  post<T>(path: string, body: unknown): Promise<T>
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
    get: <T>(path: string, query: Query = {}) => call<T>(hub, 'GET', withQuery(path, query), undefined),
    post: <T>(path: string, body: unknown) => call<T>(hub, 'POST', `/api/v1${path}`, body),
  }
}

function withQuery(path: string, query: Query): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value))
  const text = parameters.toString()
  return `/api/v1${path}${text === '' ? '' : `?${text}`}`
}

async function call<T>(hub: HubLocation, method: string, path: string, body: unknown): Promise<T> {
  const sent = body === undefined ? undefined : JSON.stringify(body)
  const { status, text } = await exchange(hub, method, path, sent)
  const answer = parseJson(text)
  if (status >= 200 && status < 300 && answer !== undefined) return answer as T
  throw problemOf(hub, status, answer)
}

function exchange(
  hub: HubLocation,
  method: string,
  path: string,
  body: string | undefined,
): Promise<{ status: number; text: string }> {
  const options: RequestOptions = {
    method,
    path,
    agent: false,
    signal: AbortSignal.timeout(callMs),
    headers: {
      Authorization: `Bearer ${hub.key}`,
      Accept: 'application/json',
      ...(body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }),
    },
  }
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(connectionError(hub, error))
    const outgoing =
      hub.kind === 'socket'
        ? plainRequest({ ...options, socketPath: hub.socketPath })
        : (hub.url.protocol === 'https:' ? tlsRequest : plainRequest)(hub.url, {
            ...options,
            path: `${hub.url.pathname.replace(/\/$/, '')}${path}`,
            ...(hub.ca === null ? {} : { ca: hub.ca }),
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
    outgoing.end(body)
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
function problemOf(hub: HubLocation, status: number, answer: unknown): HubError {
  const field = (name: string): string => {
    const value: unknown = typeof answer === 'object' && answer !== null ? Reflect.get(answer, name) : undefined
    return typeof value === 'string' ? value : ''
  }
  const [code, hint] = [field('code'), field('hint')]
  const detail = field('detail') || field('title')
  if (isFailureName(code)) return new HubError(code, detail, hint === '' ? {} : { hint })
  const said = detail === '' ? '' : `: ${detail} (${field('failureId')} ${code})`
  return new HubError('hub-answer-unexpected', `${hub.place} answered with status ${status}${said}`, {
    hint: hint || 'check that it is a Handfast hub of this version',
  })
}

function connectionError(hub: HubLocation, error: unknown): HubError {
  const { code, message, name } = error as NodeJS.ErrnoException
  if (hub.kind === 'socket' && (code === 'ENOENT' || code === 'ECONNREFUSED')) {
    return new HubError('hub-not-found', `no hub runs on the ${hub.place}`, { cause: error })
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new HubError('data-directory-unusable', `this user may not speak to the hub of the ${hub.place}`, {
      hint: 'run this as the user that runs the hub, or set HANDFAST_URL and HANDFAST_KEY',
      cause: error,
    })
  }
  const isLate = name === 'TimeoutError' || name === 'AbortError'
  const reason = isLate ? `no answer within ${callMs / 1000} s` : (code ?? message)
  return new HubError('hub-unreachable', `the hub at ${quote(hub.place)} cannot be reached: ${reason}`, {
    hint: /CERT|SIGNED|ISSUER/.test(code ?? '')
      ? 'set HANDFAST_CA to the file ca.pem of the hub'
      : 'check that the hub runs and that HANDFAST_URL is right',
    cause: error,
  })
}

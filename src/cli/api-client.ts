/** The admin API from the outside: finds the hub and speaks to it. */
import { request as plainRequest, type RequestOptions } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { HubError, quote } from '../core/errors.ts'
import { isFailureName } from '../core/failure/catalogue.ts'
import { asTyped } from './how-called.ts'
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
  throw problemOf(hub, status, answer, deviceNamed(path, body))
}

/** The id of the device that a request is about, or null. */
function deviceNamed(path: string, body: unknown): string | null {
  const inPath = /^\/api\/v1\/devices\/([^/?]+)/.exec(path)?.[1]
  if (inPath !== undefined) return decodeURIComponent(inPath)
  const inBody: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'id') : null
  return typeof inBody === 'string' ? inBody : null
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
      Authorization: `Bearer ${hub.key.reveal()}`,
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
            ...(hub.ca === null ? {} : { ca: hub.ca.pem }),
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
function problemOf(hub: HubLocation, status: number, answer: unknown, deviceId: string | null): HubError {
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
  if (isFailureName(code)) return new HubError(code, detail, hint === '' ? {} : { hint: asTyped(hint, deviceId) })
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
  if (hub.kind === 'url' && isTrustFailure(code ?? '')) return distrust(hub, code ?? '', message, error)
  const isLate = name === 'TimeoutError' || name === 'AbortError'
  const reason = isLate ? `no answer within ${callMs / 1000} s` : (code ?? message)
  return new HubError('hub-unreachable', `the hub at ${quote(hub.place)} cannot be reached: ${reason}`, {
    hint:
      hub.kind === 'url'
        ? 'check that the hub runs and that HANDFAST_URL is right'
        : 'check that the hub runs; see its log',
    cause: error,
  })
}

/** Codes of OpenSSL's verdict on a chain, and of Node's on the name. */
function isTrustFailure(code: string): boolean {
  return /CERT|SIGNED|ISSUER|SIGNATURE|CRL|^HOSTNAME_MISMATCH$|^INVALID_CA$|^INVALID_PURPOSE$/.test(code)
}

function distrust(hub: HubLocation & { kind: 'url' }, code: string, message: string, cause: unknown): HubError {
  const place = quote(hub.place)
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return new HubError('enrolment-tls-untrusted', `the certificate of ${place} is for other names: ${message}`, {
      hint: 'use one of those names in HANDFAST_URL, or give the hub this one with --public-name',
      cause,
    })
  }
  const anchor = hub.ca === null ? 'no authority of this system' : `no certificate in ${quote(hub.ca.file)}`
  return new HubError('enrolment-tls-untrusted', `${anchor} vouches for ${place}: ${message} (${code})`, {
    hint:
      hub.ca === null
        ? 'set HANDFAST_CA to a copy of the file ca.pem of the hub'
        : 'copy ca.pem from the data directory of that hub; `handfast up` prints its path',
    cause,
  })
}

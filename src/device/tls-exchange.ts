/**
 * One TLS connection and one HTTP exchange on it. Opening and speaking are two steps, so that whoever holds a secret sends it
 * only on a connection that has proved itself.
 */
import { type IncomingMessage, request } from 'node:http'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect, type TLSSocket } from 'node:tls'
import { HubError, quote } from '../core/errors.ts'
import { Secret } from '../core/secret.ts'
import { NoOpensslConnection, noConnection, openByOpenssl } from './key-elsewhere/openssl-connection.ts'
import type { DeviceIdentity } from './key-elsewhere/reference.ts'
import { deviceLimits } from './limits.ts'
import type { TlsIdentity } from './store/credential.ts'

/** Where to connect to. */
export interface HubAddress {
  /** Name or address; an IPv6 address without brackets. */
  readonly host: string
  readonly port: number
}

export interface Answer {
  readonly status: number
  readonly contentType: string
  /** Seconds, or an HTTP date; empty when the answer has none. */
  readonly retryAfter: string
  /** What the server says the time is, in milliseconds since the epoch; null where it does not. */
  readonly dateMs: number | null
  readonly body: Buffer
}

/** Whom to believe, and who one is. */
export interface Trust {
  /** One or more, in PEM. */
  readonly root: string
  readonly identity?: DeviceIdentity
}

/**
 * Opens a new TLS connection (1.2 or later), never one that was used before.
 *
 * @param trust `none` accepts whoever answers, to be used for nothing secret; else the roots, in PEM, below one of which the
 *   server must prove the host of the address, and the credential to show
 * @throws HubError `hub-unreachable`, with the reason; `enrolment-tls-untrusted` when the proof fails; `key-elsewhere` and
 *   `key-program-failed` where the key to the credential cannot be used
 */
export function openTls(address: HubAddress, trust: 'none' | Trust): Promise<Duplex> {
  if (trust === 'none') return openSocket(address, trust)
  const { root, identity } = trust
  if (identity === undefined) return openSocket(address, { root })
  const { key, chain } = identity
  return key instanceof Secret
    ? openSocket(address, { root, identity: { key, chain } })
    : openElsewhere(address, root, identity)
}

/**
 * {@link openTls} for a key that is at hand.
 *
 * @throws HubError `hub-unreachable`; `enrolment-tls-untrusted`
 */
export function openSocket(
  address: HubAddress,
  trust: 'none' | { readonly root: string; readonly identity?: TlsIdentity },
): Promise<TLSSocket> {
  const { host, port } = address
  const identity = trust === 'none' ? undefined : trust.identity
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      minVersion: 'TLSv1.2',
      // An address has no place in SNI (RFC 6066 §3); it is compared with the IP addresses in the certificate all the same.
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(trust === 'none' ? { rejectUnauthorized: false } : { ca: [trust.root], rejectUnauthorized: true }),
      ...(identity === undefined ? {} : { key: identity.key.reveal(), cert: identity.chain }),
    })
    const fail = (error: HubError): void => {
      clearTimeout(deadline)
      socket.destroy()
      reject(error)
    }
    const deadline = setTimeout(
      () => fail(unreachable(address, `no answer within ${deviceLimits.connectMs / 1000} s`)),
      deviceLimits.connectMs,
    )
    socket.once('secureConnect', () => {
      clearTimeout(deadline)
      socket.removeAllListeners('error')
      socket.on('error', () => {})
      resolve(socket)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const doubt = trust === 'none' ? null : socket.authorizationError
      fail(doubt ? untrusted(address, error) : unreachable(address, connectReason(error), error))
    })
  })
}

/** The same with a key that is elsewhere. */
async function openElsewhere(address: HubAddress, roots: string, { key, chain }: DeviceIdentity): Promise<Duplex> {
  const openssl = key instanceof Secret ? null : key.place.openssl
  if (openssl === null) throw noConnection()
  try {
    return await openByOpenssl({ ...address, roots, chain, key: openssl })
  } catch (error) {
    if (!(error instanceof NoOpensslConnection)) throw error
    if (error.kind === 'untrusted') throw untrusted(address, error)
    if (error.kind === 'unreachable') throw unreachable(address, error.message, error)
    throw new HubError('key-program-failed', `the key of this device cannot be used: ${error.message}`, {
      cause: error,
    })
  }
}

/** What to ask. */
export interface Question {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/**
 * Sends one request on an open connection and reads the whole answer; the connection is closed afterwards.
 *
 * @throws HubError `hub-unreachable` when the connection breaks or the answer takes too long, `hub-answer-unexpected` when it
 *   is too large or not HTTP
 */
export function exchange(socket: Duplex, address: HubAddress, question: Question): Promise<Answer> {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return new Promise<Answer>((resolve, reject) => {
    const deadline = setTimeout(
      () => socket.destroy(new AnswerLate(`no answer within ${deviceLimits.answerMs / 1000} s`)),
      deviceLimits.answerMs,
    )
    const outgoing = request({
      createConnection: () => socket,
      method: question.method,
      path: question.path,
      headers: {
        Host: `${host}:${address.port}`,
        Connection: 'close',
        ...(question.body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(question.body)) }),
        ...question.headers,
      },
    })
    const fail = (error: unknown): void => {
      clearTimeout(deadline)
      socket.destroy()
      reject(exchangeError(address, error))
    }
    outgoing.once('error', fail)
    outgoing.once('response', (incoming) => {
      readAnswer(incoming).then((answer) => {
        clearTimeout(deadline)
        socket.destroy()
        resolve(answer)
      }, fail)
    })
    outgoing.end(question.body)
  })
}

class AnswerLate extends Error {}
class AnswerTooLarge extends Error {}

async function readAnswer(incoming: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of incoming) {
    bytes += (chunk as Buffer).length
    if (bytes > deviceLimits.answerBytesMax) {
      throw new AnswerTooLarge(`the answer is larger than ${deviceLimits.answerBytesMax} bytes`)
    }
    chunks.push(chunk as Buffer)
  }
  return {
    status: incoming.statusCode ?? 0,
    contentType: (incoming.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '',
    retryAfter: incoming.headers['retry-after'] ?? '',
    dateMs: timeIn(incoming.headers.date),
    body: Buffer.concat(chunks),
  }
}

function timeIn(date: string | undefined): number | null {
  const ms = Date.parse(date ?? '')
  return Number.isFinite(ms) ? ms : null
}

function exchangeError(address: HubAddress, error: unknown): HubError {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  if (error instanceof AnswerTooLarge || code.startsWith('HPE_')) {
    const reason = error instanceof AnswerTooLarge ? error.message : 'the answer is not HTTP'
    return new HubError('hub-answer-unexpected', `${place(address)}: ${reason}`, { cause: error })
  }
  const reason = error instanceof AnswerLate ? error.message : 'the connection broke before the answer was complete'
  return unreachable(address, reason, error)
}

function untrusted(address: HubAddress, error: NodeJS.ErrnoException): HubError {
  const code = error.code ?? ''
  const isClock = code === 'CERT_NOT_YET_VALID' || code === 'CERT_HAS_EXPIRED'
  const reason =
    code === 'ERR_TLS_CERT_ALTNAME_INVALID'
      ? `its certificate is not for ${quote(address.host)}`
      : `its certificate cannot be verified (${code || error.message})`
  const message = `${place(address)} did not prove that it is the hub: ${reason}`
  const hint = 'set the clock of this device if it is wrong; else check the hub. The token was not sent'
  return new HubError('enrolment-tls-untrusted', message, isClock ? { cause: error, hint } : { cause: error })
}

function unreachable(address: HubAddress, reason: string, cause?: unknown): HubError {
  return new HubError('hub-unreachable', `${place(address)} cannot be reached: ${reason}`, { cause })
}

/** Why a connection did not come about, in words. */
function connectReason(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOTFOUND':
      return 'the name does not resolve'
    case 'EAI_AGAIN':
      return 'the name cannot be resolved now (no DNS server answers)'
    case 'ECONNREFUSED':
      return 'connection refused; nothing listens on that port'
    case 'ETIMEDOUT':
      return 'the connection timed out'
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'there is no route to it'
    case 'ECONNRESET':
      return 'the connection was closed during the TLS handshake'
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return 'what listens on that port does not speak TLS'
    default:
      return error.code ?? error.message
  }
}

function place({ host, port }: HubAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

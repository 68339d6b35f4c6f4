/** One TLS handshake with a server that is not trusted, and all that can be seen of it. */
import { isIP } from 'node:net'
import { checkServerIdentity, connect, createSecureContext, type SecureVersion, type TLSSocket } from 'node:tls'
import { limits } from '../../core/limits.ts'
import type { Secret } from '../../core/secret.ts'
import { dial } from './reach.ts'
import { RecordedSocket } from './recorded-socket.ts'
import { readServerFlight, type ServerFlight } from './tls-flight.ts'

/** A key pair that a client shows. */
export interface ClientPair {
  /** PKCS#8 in PEM. */
  readonly key: Secret
  /** Its certificate and those above it, in PEM. */
  readonly chain: string
}

export interface HandshakeOptions {
  readonly address: string
  readonly port: number
  /** What the certificate must be for, and, where it is a name, what is asked for by SNI. */
  readonly name: string
  /** The authorities that are trusted, in PEM. */
  readonly authorities: readonly string[]
  readonly pair: ClientPair | null
  readonly alpn: readonly string[]
  readonly minVersion: SecureVersion
  readonly maxVersion: SecureVersion
  /** Time for the connection, and for the handshake. */
  readonly stepMs: number
}

export interface Shaken {
  readonly kind: 'done'
  readonly socket: TLSSocket
  readonly flight: ServerFlight
  /** As in TLSv1.3. */
  readonly version: string
  readonly cipher: string
  readonly alpn: string | null
  /** What OpenSSL says of the chain; null where it holds. */
  readonly verdict: string | null
  /** What is wrong with the name, in Node's words; null where it is right. */
  readonly nameFault: string | null
  /** As it was sent in TLS 1.2, as Node has put it together in TLS 1.3; the leaf first. */
  readonly chain: readonly Uint8Array[]
}

export interface NotShaken {
  readonly kind: 'failed'
  readonly flight: ServerFlight
  /** Of Node or OpenSSL, such as ECONNRESET or ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE; ETIMEDOUT where nothing came. */
  readonly code: string
  /** The number of the alert by which the server refused; null where it said none. */
  readonly alert: number | null
}

export type Handshake = Shaken | NotShaken

const nothing: ServerFlight = readServerFlight(Buffer.alloc(0))

/** Never throws; the socket of a handshake that was done is the caller's to close. */
export async function shakeHands(options: HandshakeOptions): Promise<Handshake> {
  const plain = await dial(options.address, options.port, options.stepMs)
  if (typeof plain === 'string') return { kind: 'failed', flight: nothing, code: plain, alert: null }
  const recorded = new RecordedSocket(plain, limits.probeFlightBytesMax)
  return new Promise((done) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      clearTimeout(timer)
      recorded.destroy()
      const flight = readServerFlight(recorded.received)
      done({ kind: 'failed', flight, code: error.code ?? error.message, alert: alertIn(error) ?? flight.alert })
    }
    const timer = setTimeout(() => fail(Object.assign(new Error('late'), { code: 'ETIMEDOUT' })), options.stepMs)
    let socket: TLSSocket
    try {
      socket = connect({ socket: recorded, ...tlsOptions(options) })
    } catch (error) {
      fail(error as NodeJS.ErrnoException)
      return
    }
    socket.on('error', fail)
    socket.once('close', () => fail(Object.assign(new Error('closed'), { code: 'ECLOSED' })))
    socket.once('secureConnect', () => {
      clearTimeout(timer)
      done(shaken(socket, readServerFlight(recorded.received), options.name))
    })
  })
}

function tlsOptions({ name, authorities, pair, alpn, minVersion, maxVersion }: HandshakeOptions) {
  const isOld = minVersion !== 'TLSv1.2' && minVersion !== 'TLSv1.3'
  const secureContext = createSecureContext({
    ca: [...authorities],
    minVersion,
    maxVersion,
    ...(pair === null ? {} : { key: pair.key.reveal(), cert: pair.chain }),
    ...(isOld ? { ciphers: 'ALL:@SECLEVEL=0' } : {}),
  })
  return {
    secureContext,
    // The verdict is looked at afterwards: nothing is sent before.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
  }
}

function shaken(socket: TLSSocket, flight: ServerFlight, name: string): Shaken {
  const peer = socket.getPeerCertificate(true)
  const error: unknown = socket.authorizationError
  const verdict = socket.authorized
    ? null
    : error instanceof Error && 'code' in error
      ? String(error.code)
      : String(error)
  return {
    kind: 'done',
    socket,
    flight,
    version: socket.getProtocol() ?? '',
    cipher: socket.getCipher()?.standardName ?? '',
    alpn: typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : null,
    verdict,
    nameFault:
      Object.keys(peer).length === 0 ? 'it has no certificate' : (checkServerIdentity(name, peer)?.message ?? null),
    chain: flight.chain ?? chainOf(peer),
  }
}

/** Node puts the issuers one above the other; a root is its own. */
function chainOf(peer: ReturnType<TLSSocket['getPeerCertificate']>): readonly Uint8Array[] {
  const chain: Uint8Array[] = []
  let each = peer as ReturnType<TLSSocket['getPeerCertificate']> & { issuerCertificate?: typeof peer }
  while (
    each?.raw !== undefined &&
    chain.length < 16 &&
    !chain.some((known) => Buffer.compare(known, each.raw) === 0)
  ) {
    chain.push(each.raw)
    if (each.issuerCertificate === undefined) break
    each = each.issuerCertificate
  }
  return chain
}

/** OpenSSL puts it at the end of its message. */
export function alertIn(error: unknown): number | null {
  const number = /SSL alert number (\d{1,3})/.exec(error instanceof Error ? error.message : '')?.[1]
  return number === undefined ? null : Number(number)
}

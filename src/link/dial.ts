/** One TLS connection from a gate to its hub. */
import { isIP } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { HubError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import type { Secret } from '../core/secret.ts'
import { linkLimits } from './limits.ts'

export interface LinkAddress {
  /** Name or address, which the certificate of the hub must have; an IPv6 address without brackets. */
  readonly host: string
  readonly port: number
}

/** Who the gate is, and whom it believes. */
export interface LinkTrust {
  readonly key: Secret
  /** Its certificate and those behind it, in PEM. */
  readonly chain: string
  /** Roots of the hub, in PEM. */
  readonly roots: string
}

/**
 * @param protocol of ALPN
 * @throws HubError `gate-link-unreachable`; `gate-link-untrusted` when what answers does not prove that it is the hub
 */
export async function dialLink(address: LinkAddress, protocol: string, trust: LinkTrust): Promise<TLSSocket> {
  const { host, port } = address
  const socket = connect({
    host,
    port,
    // An address has no place in SNI (RFC 6066 §3); it is compared with those in the certificate all the same.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ca: trust.roots,
    key: trust.key.reveal(),
    cert: trust.chain,
    minVersion: 'TLSv1.3',
    ALPNProtocols: [protocol],
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(
    () => reject(unreachable(address, `no answer within ${limits.tlsHandshakeMs / 1000} s`)),
    limits.tlsHandshakeMs,
  )
  const fail = (error: NodeJS.ErrnoException): void => reject(failureOf(address, socket, error))
  socket.once('error', fail)
  socket.once('secureConnect', () => resolve())
  try {
    await promise
    if (socket.alpnProtocol !== protocol) throw unreachable(address, 'what listens there is no gate link')
  } catch (error) {
    socket.on('error', () => {})
    socket.destroy()
    throw error
  } finally {
    clearTimeout(timer)
    socket.off('error', fail)
  }
  socket.on('error', () => {})
  socket.setNoDelay(true)
  socket.setKeepAlive(true, linkLimits.silenceMs)
  return socket
}

function failureOf(address: LinkAddress, socket: TLSSocket, error: NodeJS.ErrnoException): HubError {
  if (error.code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return untrusted(address, `its certificate is not for ${JSON.stringify(address.host)}`, error)
  }
  if (socket.authorizationError != null) {
    return untrusted(address, `its certificate cannot be verified (${error.code ?? error.message})`, error)
  }
  // A server without one of our protocols says so with this alert (RFC 7301 §3.2).
  const isOther = error.code === 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL'
  return unreachable(address, isOther ? 'what listens there is no gate link' : reasonOf(error), error)
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'ENOTFOUND':
      return 'the name does not resolve'
    case 'ECONNREFUSED':
      return 'connection refused; nothing listens on that port'
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'there is no route to it'
    case 'ETIMEDOUT':
      return 'the connection timed out'
    case 'ECONNRESET':
      return 'the connection was closed during the TLS handshake'
    default:
      return code ?? message
  }
}

function placeOf({ host, port }: LinkAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function unreachable(address: LinkAddress, why: string, cause?: unknown): HubError {
  return new HubError(
    'gate-link-unreachable',
    `the gate link of the hub at ${placeOf(address)} cannot be reached: ${why}`,
    {
      cause,
    },
  )
}

function untrusted(address: LinkAddress, why: string, cause: unknown): HubError {
  return new HubError('gate-link-untrusted', `${placeOf(address)} did not prove that it is the hub: ${why}`, { cause })
}

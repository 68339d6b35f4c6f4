/** Opening and closing HTTP listeners, with one way to say why it cannot be done. */
import { constants } from 'node:crypto'
import type { Server, Socket } from 'node:net'
import {
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
  TLSSocket,
  type TlsOptions,
} from 'node:tls'
import fastify, { type FastifyInstance } from 'fastify'
import { HubError, quote } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import type { Secret } from '../core/secret.ts'
import { listenFailure } from '../hub/listen-failure.ts'
import { peerAddress, sourceOf } from '../hub/peer-address.ts'
import type { Log } from '../hub/ports/log.ts'
import { brokenRequestAnswer, rememberAnswers } from './broken-requests.ts'
import { answerWithProblems, problemAnswer, type Reader } from './problem.ts'
import { newRequestId } from './request-id.ts'

/** Key and chain of a TLS listener, in PEM. */
export interface TlsMaterial {
  readonly key: Secret
  readonly chain: string
  /** The same with an RSA key, for clients that verify nothing else; OpenSSL chooses by what a client offers. */
  readonly forRsa?: { readonly key: Secret; readonly chain: string } | null
  /** What else to show, by the name that a client asks for (RFC 6066 §3); null for the certificate above. */
  forName?(serverName: string): Omit<TlsMaterial, 'forName'> | null
}

export interface HttpAppOptions {
  readonly reader: Reader
  readonly log: Log
  readonly bodyBytesMax: number
  /** Time for a whole request; `limits.httpRequestMs` when it is left out. */
  readonly requestMs?: number
  /** Absent for a listener without TLS. */
  readonly tls?: TlsMaterial
  /** Whether clients are asked for a certificate. What one shows is for {@link clientCertificate} and `hub/admit`. */
  readonly asksForCertificate?: boolean
}

/** An empty Fastify application with the limits that every listener has. */
export function httpApp(options: HttpAppOptions): FastifyInstance {
  const common = {
    bodyLimit: options.bodyBytesMax,
    requestTimeout: options.requestMs ?? limits.httpRequestMs,
    connectionTimeout: limits.httpRequestMs * 2,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 256 },
    frameworkErrors: problemAnswer(options.reader, options.log),
    clientErrorHandler: brokenRequestAnswer(options.reader),
    genReqId: newRequestId,
    logger: false,
  }
  const server = { maxHeaderSize: limits.httpHeaderBytesMax, connectionsCheckingInterval: limits.httpLateEveryMs }
  const app =
    options.tls === undefined
      ? fastify({ ...common, http: server })
      : (fastify({
          ...common,
          https: {
            ...server,
            ...tlsOptions(options.tls),
            ...choiceByName(options.tls),
            handshakeTimeout: limits.tlsHandshakeMs,
            // Asked for and not judged here: OpenSSL knows neither revocation nor identity.
            requestCert: options.asksForCertificate ?? false,
            rejectUnauthorized: false,
          },
        }) as unknown as FastifyInstance)
  app.server.maxConnections = limits.httpConnectionsMax
  app.server.headersTimeout = limits.httpRequestMs
  rememberAnswers(app.server)
  limitConnectionsPerAddress(app.server)
  answerWithProblems(app, options.reader, options.log)
  logRequests(app, options.log)
  return app
}

/** For whoever looks closely: a line for each request, without its address, which may hold a secret by mistake. */
function logRequests(app: FastifyInstance, log: Log): void {
  app.addHook('onResponse', ({ id, method, routeOptions }, reply, done) => {
    const { statusCode: status, elapsedTime } = reply
    log.debug('request', { request: id, method, route: routeOptions.url, status, ms: Math.round(elapsedTime) })
    done()
  })
}

/** One address cannot take all connections; what it opens beyond its share is closed at once. */
function limitConnectionsPerAddress(server: Server): void {
  const open = new Map<string, number>()
  server.on('connection', (socket: Socket) => {
    if (socket.remoteAddress === undefined) return
    const address = sourceOf(peerAddress(socket.remoteAddress))
    const count = (open.get(address) ?? 0) + 1
    open.set(address, count)
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1
      if (left === 0) open.delete(address)
      else open.set(address, left)
    })
    if (count > limits.httpConnectionsPerAddressMax) socket.destroy()
  })
}

/**
 * The same options at the start and at each exchange: `setSecureContext` resets what is left out.
 *
 * Sessions are not resumed: what a resumed one says about its client's certificate may be as old as the ticket. A client may
 * not renegotiate, which would change the certificate between two requests.
 */
export function tlsOptions(tls: TlsMaterial): SecureContextOptions {
  const pairs = tls.forRsa == null ? [tls] : [tls, tls.forRsa]
  return {
    key: pairs.map(({ key }) => key.reveal()),
    cert: pairs.map(({ chain }) => chain),
    // No names are sent to the client and no chain is built: the verdict is the registry's.
    ca: [],
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET,
  }
}

/** The certificate that the client of a connection has shown, in DER, or null. Nobody has judged it. */
export function clientCertificate(socket: unknown): Uint8Array | null {
  return socket instanceof TLSSocket ? (socket.getPeerX509Certificate()?.raw ?? null) : null
}

/** Contexts of certificates that are chosen by name; a certificate that is exchanged is another object. */
const contexts = new WeakMap<object, SecureContext>()

function choiceByName({ forName }: TlsMaterial): Pick<TlsOptions, 'SNICallback'> {
  if (forName === undefined) return {}
  return {
    SNICallback(serverName, done) {
      const chosen = forName(serverName)
      if (chosen === null) return done(null)
      const context = contexts.get(chosen) ?? createSecureContext(tlsOptions(chosen))
      contexts.set(chosen, context)
      done(null, context)
    },
  }
}

/** @throws HubError `port-taken`, `address-unavailable` */
export async function listenOn(
  app: FastifyInstance,
  purpose: string,
  host: string,
  port: number,
): Promise<{ host: string; port: number }> {
  try {
    await app.listen({ host, port })
  } catch (error) {
    throw listenFailure(error, purpose, host, port)
  }
  const address = app.server.address()
  if (address === null || typeof address === 'string') {
    throw new HubError('address-unavailable', `${purpose}: ${quote(host)} is not an address`)
  }
  return { host, port: address.port }
}

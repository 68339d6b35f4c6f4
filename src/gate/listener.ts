/**
 * Accepts TCP connections and brings them through the TLS handshake. Whatever ends before that is reported with its cause.
 *
 * The first bytes of a connection are looked at before TLS sees them: it tells MQTT and HTTP without TLS from noise, and a
 * connection that never says anything costs no TLS state.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls'
import { isInNetwork, type Network, parseNetwork } from '../core/identity/network.ts'
import type { ListenerSettings } from '../core/listener/listener-settings.ts'
import { readProxyHeader } from '../core/listener/proxy-header.ts'
import { readClientHello } from '../core/tls/client-hello.ts'
import { listenerPurpose, listenFailure } from '../hub/listen-failure.ts'
import { peerAddress } from '../hub/peer-address.ts'
import { type Clock, nowSec } from '../hub/ports/clock.ts'
import type { Sockets } from './farewell.ts'
import type { HalfOpen } from './half-open.ts'
import { closedEarly, closedUnused, firstBytesRefusal, handshakeFailure } from './handshake-failure.ts'
import type { Ending, GateCertificate, GateLimits, ListenerAddress } from './options.ts'
import { shownCertificate } from './shown-certificate.ts'
import { choiceByName, secureContextSettings, serverSettings, type TlsTerms } from './tls-settings.ts'
import { WebSocketDoor } from './websocket.ts'

export interface ListenerOptions {
  readonly settings: ListenerSettings
  readonly certificate: GateCertificate
  certificateFor?(serverName: string): GateCertificate | null
  /** Certificates of the listener's trust anchors, PEM. */
  trusted(): readonly string[]
  readonly sessionTickets: boolean
  readonly sharesPort: boolean
  readonly limits: Pick<GateLimits, 'tlsHandshakeMs' | 'farewellMs'>
  readonly clock: Clock
  /** Shared by all listeners of the gate. */
  readonly halfOpen: HalfOpen<object>
  /** A TCP connection has come. */
  onAccepted(): void
  /** The handshake is done. */
  onSecure(connection: SecureConnection): void
  /** The connection ended before that. */
  onFailure(address: string, ending: Ending): void
}

/** A connection whose handshake is done. */
export interface SecureConnection {
  readonly sockets: Sockets
  /** Of the client. */
  readonly address: string
  /** To be called once the client has sent its CONNECT. */
  connected(): void
  /** Why TLS failed, where it does so before that: under TLS 1.3 clients refuse the hub only now. */
  explain(error: Error): Ending
}

/** A connection between accept and the end of its handshake. */
interface Handshake {
  readonly raw: Socket
  /** Of the client; until its PROXY header has come, that of the proxy. */
  address: string
  /** The end of this machine. */
  readonly localAddress: string
  readonly timer: NodeJS.Timeout
  hasSpoken: boolean
  /** TLS stands, and the request for a WebSocket is awaited. */
  isSecure: boolean
  /** What has come of a PROXY header; null where none is due. */
  proxyBytes: Buffer | null
  /** What TLS was begun with. */
  firstBytes: Buffer
}

export class Listener {
  readonly #options: ListenerOptions
  #certificate: GateCertificate
  readonly #tcp: Server
  readonly #tls: TlsServer
  /** By both ends of their connections: TLS knows no more of the socket that it was given. */
  readonly #handshakes = new Map<string, Handshake>()
  readonly #halfOpen: HalfOpen<object>
  readonly #open = new Set<Socket>()
  readonly #proxies: readonly Network[]
  /** Null where MQTT is spoken straight over TLS. */
  readonly #door: WebSocketDoor | null

  constructor(options: ListenerOptions) {
    this.#options = options
    this.#certificate = options.certificate
    this.#halfOpen = options.halfOpen
    this.#proxies = (options.settings.proxyProtocol?.networks ?? []).flatMap((text) => parseNetwork(text) ?? [])
    const { websocket } = options.settings
    this.#door =
      websocket === null
        ? null
        : new WebSocketDoor(websocket, {
            onOpen: (tls, stream) => this.#serve(tls, stream),
            onRefused: (tls, why) => this.#turnAway(tls, why),
          })
    this.#tcp = createServer({ noDelay: true }, (raw) => this.#accept(raw))
    this.#tls = createTlsServer({
      ...serverSettings(options.certificate, this.#terms(), options.limits.tlsHandshakeMs),
      ...choiceByName((name) => options.certificateFor?.(name) ?? null, this.#termsOfNow),
    })
    this.#tls.on('secureConnection', (socket) => {
      socket.on('error', () => {})
      if (this.#door === null) this.#serve(socket, socket)
      else {
        const handshake = this.#handshakes.get(endsOf(socket) ?? '')
        if (handshake !== undefined) handshake.isSecure = true
        this.#door.take(socket)
      }
    })
    this.#tls.on('tlsClientError', (error, socket) => {
      const handshake = this.#settle(endsOf(socket) ?? this.#endsOfGone(socket))
      if (handshake !== null) this.#fail(handshake, this.#explain(handshake, error))
    })
  }

  /** @throws HubError `port-taken` or `address-unavailable` */
  async listen(): Promise<ListenerAddress> {
    const { name, host, port, websocket } = this.#options.settings
    await new Promise<void>((resolve, reject) => {
      this.#tcp.once('error', (error) => reject(listenFailure(error, listenerPurpose(name), host, port)))
      this.#tcp.listen({ host, port, backlog: 1024, reusePort: this.#options.sharesPort }, resolve)
    })
    const { address, port: bound } = this.#tcp.address() as AddressInfo
    return { name, host: address, port: bound, path: websocket?.path ?? null }
  }

  setCertificate(certificate: GateCertificate): void {
    this.#certificate = certificate
    this.#tls.setSecureContext(secureContextSettings(certificate, this.#terms()))
  }

  /** Takes the trust anchors as they are now. */
  refreshTrust(): void {
    if (this.#options.settings.anchors.length > 0) this.setCertificate(this.#certificate)
  }

  #terms(): TlsTerms {
    const { settings, sessionTickets } = this.#options
    return { settings, trusted: this.#options.trusted(), sessionTickets }
  }

  readonly #termsOfNow = (): TlsTerms => this.#terms()

  /** Accepts no more and drops what has not sent its CONNECT yet. */
  close(): void {
    this.#tcp.close()
    for (const raw of this.#open) if (this.#halfOpen.has(raw)) raw.destroy()
  }

  /** Fulfilled when all connections are closed; those that are left after `ms` are reset. */
  async drained(ms: number): Promise<void> {
    const timer = setTimeout(() => {
      for (const raw of this.#open) raw.resetAndDestroy()
    }, ms)
    await Promise.all([...this.#open].map((raw) => new Promise<void>((resolve) => raw.once('close', () => resolve()))))
    clearTimeout(timer)
  }

  #accept(raw: Socket): void {
    raw.on('error', () => {})
    this.#options.onAccepted()
    const ends = endsOf(raw)
    const address = peerAddress(raw.remoteAddress)
    if (ends === null) {
      raw.destroy()
      return
    }
    const isProxy = this.#proxies.some((network) => isInNetwork(address, network))
    const refusal = this.#refusalOf(raw, isProxy ? null : address)
    if (refusal !== null) {
      raw.resetAndDestroy()
      this.#options.onFailure(address, refusal)
      return
    }
    this.#open.add(raw)
    const timer = setTimeout(() => this.#timeOut(ends), this.#options.limits.tlsHandshakeMs)
    const handshake: Handshake = {
      raw,
      address,
      localAddress: peerAddress(raw.localAddress),
      timer,
      hasSpoken: false,
      isSecure: false,
      proxyBytes: isProxy ? Buffer.alloc(0) : null,
      firstBytes: noBytes,
    }
    this.#handshakes.set(ends, handshake)
    raw.once('close', () => {
      this.#open.delete(raw)
      this.#halfOpen.delete(raw)
      // Only a handshake that nothing else has settled ends here.
      if (this.#handshakes.get(ends) !== handshake) return
      this.#settle(ends)
      this.#fail(handshake, closingOf(handshake))
    })
    raw.once('readable', () => this.#peek(ends, handshake))
  }

  /** Counts a connection, or says why there is no room for it. */
  #refusalOf(raw: Socket, address: string | null): Ending | null {
    const { connectionsMax } = this.#options.settings.limits
    if (connectionsMax !== null && this.#open.size >= connectionsMax) {
      return { code: 'too-many-connections', sentence: `the listener has ${connectionsMax} connections already` }
    }
    return this.#halfOpen.add(raw, address, (why) => this.#giveWay(raw, why))
  }

  #peek(ends: string, handshake: Handshake): void {
    const { raw } = handshake
    const bytes: Buffer | null = raw.read()
    if (bytes === null) {
      // The client has closed without a byte.
      raw.destroy()
      return
    }
    handshake.hasSpoken = true
    if (handshake.proxyBytes === null) this.#begin(ends, handshake, bytes)
    else this.#readProxyHeader(ends, handshake, Buffer.concat([handshake.proxyBytes, bytes]))
  }

  /** The header is the proxy's; what follows it is the client's. */
  #readProxyHeader(ends: string, handshake: Handshake, bytes: Buffer): void {
    const { raw } = handshake
    const header = readProxyHeader(bytes)
    const goOn = () => raw.once('readable', () => this.#peek(ends, handshake))
    if (header.kind === 'malformed') {
      this.#refuse(ends, handshake, { code: 'proxy-header-invalid', sentence: header.sentence })
    } else if (header.kind === 'incomplete') {
      handshake.proxyBytes = bytes
      goOn()
    } else {
      handshake.proxyBytes = null
      handshake.address = header.address ?? handshake.address
      const refusal = header.address === null ? null : this.#halfOpen.comesFrom(raw, header.address)
      if (refusal !== null) this.#refuse(ends, handshake, refusal)
      else if (bytes.length > header.bytes) this.#begin(ends, handshake, bytes.subarray(header.bytes))
      else goOn()
    }
  }

  /** Hands a connection to TLS, if its first bytes may be that. */
  #begin(ends: string, handshake: Handshake, bytes: Buffer): void {
    const refusal = firstBytesRefusal(bytes)
    if (refusal === null) {
      handshake.firstBytes = bytes
      handshake.raw.unshift(bytes)
      this.#tls.emit('connection', handshake.raw)
    } else this.#refuse(ends, handshake, refusal)
  }

  #refuse(ends: string, handshake: Handshake, why: Ending): void {
    this.#settle(ends)
    this.#fail(handshake, why)
  }

  /** Somebody else needs the place of a connection that has not sent its CONNECT. */
  #giveWay(raw: Socket, why: Ending): void {
    const ends = endsOf(raw)
    const handshake = this.#settle(ends)
    raw.resetAndDestroy()
    if (handshake !== null) this.#options.onFailure(handshake.address, why)
  }

  /** Hands on a connection that is ready for MQTT. */
  #serve(tls: TLSSocket, socket: Duplex): void {
    const handshake = this.#settle(endsOf(tls) ?? this.#endsOfGone(tls))
    socket.on('error', () => {})
    if (handshake === null) {
      socket.destroy()
      return
    }
    const { raw, address } = handshake
    this.#options.onSecure({
      sockets: { socket, tls, raw },
      address,
      connected: () => this.#halfOpen.delete(raw),
      explain: (error) => this.#explain(handshake, error),
    })
  }

  #explain({ localAddress, firstBytes }: Pick<Handshake, 'localAddress' | 'firstBytes'>, error: Error): Ending {
    const hello = readClientHello(firstBytes)
    const asked = hello?.serverName == null ? null : this.#options.certificateFor?.(hello.serverName)
    return handshakeFailure(error, {
      hello,
      shown: shownCertificate(asked ?? this.#certificate),
      localAddress,
      nowSec: nowSec(this.#options.clock),
    })
  }

  /** The request for a WebSocket was refused; its answer is on its way. */
  #turnAway(tls: TLSSocket, why: Ending): void {
    const handshake = this.#settle(endsOf(tls))
    if (handshake === null) return
    const { raw, address } = handshake
    const timer = setTimeout(() => raw.destroy(), this.#options.limits.farewellMs).unref()
    raw.once('close', () => clearTimeout(timer))
    this.#options.onFailure(address, why)
  }

  #timeOut(ends: string): void {
    const handshake = this.#settle(ends)
    if (handshake === null) return
    const within = `within ${this.#options.limits.tlsHandshakeMs / 1000} s`
    this.#fail(
      handshake,
      handshake.isSecure
        ? { code: 'connect-timeout', sentence: `TLS succeeded but no WebSocket was opened ${within}` }
        : { code: 'tls-timeout', sentence: `the TLS handshake did not end ${within}` },
    )
  }

  /** Takes a handshake off the list of those that run; null when it is not there any more. */
  #settle(ends: string | null): Handshake | null {
    const handshake = ends === null ? undefined : this.#handshakes.get(ends)
    if (ends === null || handshake === undefined) return null
    clearTimeout(handshake.timer)
    this.#handshakes.delete(ends)
    return handshake
  }

  /**
   * The same for a client that has reset the connection behind its alert: the system does not tell its address any more. Node keeps the
   * socket below at hand, without promising it; where it does not, the close of that socket is the failure.
   */
  #endsOfGone(socket: TLSSocket): string | null {
    const below = '_parent' in socket ? socket._parent : null
    for (const [ends, { raw }] of this.#handshakes) if (raw === below) return ends
    return null
  }

  #fail(handshake: Handshake, ending: Ending): void {
    // OpenSSL has written its alert by now; a plain close lets it arrive.
    handshake.raw.destroy()
    this.#options.onFailure(handshake.address, ending)
  }
}

const noBytes = Buffer.alloc(0)

/** Why a connection counts as failed that has closed by itself. */
function closingOf({ hasSpoken, isSecure }: Handshake): Ending {
  if (isSecure) return { code: 'closed-before-connect', sentence: 'the client closed before it opened a WebSocket' }
  return hasSpoken ? closedEarly : closedUnused
}

/** Both ends of a connection: a client may come from one port to several addresses of this machine. Null once it is gone. */
function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string | null {
  return remotePort === undefined ? null : `${remoteAddress}|${remotePort}|${localAddress}|${localPort}`
}

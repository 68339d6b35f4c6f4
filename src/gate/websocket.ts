/**
 * MQTT over WebSocket (MQTT 5 §6, RFC 6455): after the TLS handshake an HTTP request opens it, and what its binary messages
 * hold is the stream of MQTT, however it is cut.
 *
 * A browser sends the client certificate of its user along with whatever a page asks for. So a page may connect only where it
 * is of the same origin or listed; clients that are no browsers send no origin, or the same one.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { type WebSocket, WebSocketServer } from 'ws'
import { quote } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import type { WebSocketSettings } from '../core/listener/listener-settings.ts'
import type { Ending } from './options.ts'

/** The subprotocol that MQTT has (MQTT 5 §6, MQTT-6.0.0-3), and the one that clients of MQTT 3.1 ask for. */
const subprotocols = ['mqtt', 'mqttv3.1']

export interface WebSocketHandlers {
  onOpen(tls: TLSSocket, stream: Duplex): void
  /** The request was answered with a refusal; the connection closes. */
  onRefused(tls: TLSSocket, why: Ending): void
}

/** Opens WebSockets on TLS connections that are handed to it. */
export class WebSocketDoor {
  readonly #settings: WebSocketSettings
  readonly #handlers: WebSocketHandlers
  readonly #http: Server
  readonly #sockets: WebSocketServer

  constructor(settings: WebSocketSettings, handlers: WebSocketHandlers) {
    this.#settings = settings
    this.#handlers = handlers
    this.#sockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: limits.websocketMessageBytesMax,
      // A client that asks and does not read would fill the memory with answers.
      autoPong: false,
      handleProtocols: (offered) => subprotocols.find((name) => offered.has(name)) ?? false,
    })
    this.#http = createServer({ maxHeaderSize: limits.httpHeaderBytesMax, keepAlive: false })
    this.#http.on('request', (request, response) => {
      const why = this.#refusalOf(request) ?? refused('it does not ask for a WebSocket')
      response.writeHead(426, { connection: 'close', upgrade: 'websocket', 'content-length': 0 }).end()
      this.#handlers.onRefused(request.socket as TLSSocket, why)
    })
    this.#http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const tls = socket as TLSSocket
      const why = this.#refusalOf(request)
      if (why !== null) {
        tls.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
        this.#handlers.onRefused(tls, why)
        return
      }
      this.#sockets.handleUpgrade(request, socket, head, (websocket) => {
        this.#handlers.onOpen(tls, new WebSocketStream(websocket, tls))
      })
    })
    this.#sockets.on('wsClientError', (error, socket) => {
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      this.#handlers.onRefused(socket as TLSSocket, refused(`it is not well formed: ${error.message}`))
    })
    this.#http.on('clientError', (_error, socket) => {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      this.#handlers.onRefused(socket as TLSSocket, refused('it is not well-formed HTTP'))
    })
  }

  /** Waits for the request on a connection whose handshake is done. */
  take(tls: TLSSocket): void {
    this.#http.emit('connection', tls)
  }

  #refusalOf({ url, headers }: IncomingMessage): Ending | null {
    const path = (url ?? '').split('?')[0] ?? ''
    if (path !== this.#settings.path) return refused(`its path is ${quote(path)}, not ${quote(this.#settings.path)}`)
    const { origin, host } = headers
    if (origin !== undefined && !this.#mayComeFrom(origin, host ?? '')) {
      return refused(`it comes from a page of ${quote(origin)}, which is not listed`)
    }
    const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
    if (headers.upgrade !== undefined && !subprotocols.some((name) => offered.includes(name))) {
      return refused(`it does not offer the subprotocol "mqtt"`)
    }
    return null
  }

  #mayComeFrom(origin: string, host: string): boolean {
    if (this.#settings.origins.includes(origin)) return true
    if (!URL.canParse(origin) || !URL.canParse(`https://${host}`)) return false
    return new URL(origin).origin === new URL(`https://${host}`).origin
  }
}

function refused(why: string): Ending {
  return { code: 'websocket-refused', sentence: `the request that should open a WebSocket is refused: ${why}` }
}

/** What goes through a WebSocket, as a stream of bytes with back-pressure both ways. */
class WebSocketStream extends Duplex {
  readonly #websocket: WebSocket

  constructor(websocket: WebSocket, tls: TLSSocket) {
    super({ allowHalfOpen: false, autoDestroy: true })
    this.#websocket = websocket
    websocket.binaryType = 'nodebuffer'
    websocket.on('message', (data: Buffer, isBinary) => {
      // MQTT-6.0.0-1: a server that receives another kind of frame closes the connection.
      if (!isBinary) websocket.close(1003)
      else if (!this.push(data)) websocket.pause()
    })
    websocket.on('ping', (data: Buffer) => {
      if (tls.writableLength < limits.websocketPongBytesMax) websocket.pong(data)
    })
    websocket.on('error', (error) => this.destroy(error))
    // What has come before is read first, also where that takes time: the stream destroys itself behind its end.
    websocket.on('close', () => {
      if (!this.destroyed) this.push(null)
    })
  }

  override _read(): void {
    if (this.#websocket.isPaused) this.#websocket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#websocket.readyState !== this.#websocket.OPEN) done()
    else this.#websocket.send(chunk, { binary: true }, done)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#websocket.close(1000)
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#websocket.terminate()
    done(error)
  }
}

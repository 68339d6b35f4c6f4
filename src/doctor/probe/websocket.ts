/** MQTT over WebSocket on a connection that stands already (MQTT 5 §6). */
import type { Duplex } from 'node:stream'
import { createWebSocketStream, WebSocket } from 'ws'
import { limits } from '../../core/limits.ts'
import { endpointText, type Target } from './target.ts'

/** @returns a stream of octets, or the HTTP status with which the server refused, or the code of an error */
export function openWebSocket(
  connection: Duplex,
  target: Target & { readonly path: string },
  stepMs: number,
): Promise<Duplex | number | string> {
  return new Promise((resolve) => {
    const done = (outcome: Duplex | number | string): void => {
      clearTimeout(timer)
      resolve(outcome)
    }
    // That of `ws` begins anew with each octet that comes.
    const timer = setTimeout(() => {
      done('ETIMEDOUT')
      socket.terminate()
      connection.destroy()
    }, stepMs)
    const url = `ws://${endpointText(target.host, target.port)}${target.path}`
    const socket = new WebSocket(url, ['mqtt'], {
      createConnection: () => connection as never,
      perMessageDeflate: false,
      maxPayload: limits.packetBytesMax,
      followRedirects: false,
    })
    socket.once('open', () => done(createWebSocketStream(socket)))
    socket.once('unexpected-response', (_request, response) => {
      done(response.statusCode ?? 0)
      connection.destroy()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message))
  })
}

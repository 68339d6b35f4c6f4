/** An MQTT 5 listener behind mutual TLS that acknowledges what it is sent, or refuses as a test asks. */

import type { AddressInfo } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { generate, type IConnackPacket, type IPublishPacket, parser } from 'mqtt-packet'
import type { KeyAndCertificate } from '../device/est-authority.ts'

export interface FakeGateOptions {
  readonly tls: KeyAndCertificate
  /** Root of the client certificates, in PEM. */
  readonly ca: string
  /** The answer to the nth CONNECT of a client, counted from 0; admitted if not given. */
  readonly answer?: (clientId: string, nth: number) => { readonly reasonCode: number; readonly reason: string }
  /** Called after each acknowledgement. */
  readonly onPublish?: (session: FakeSession, packet: IPublishPacket) => void
}

export interface FakeSession {
  readonly clientId: string
  /** Common name of the certificate. */
  readonly commonName: string
  /** Closes the session with a DISCONNECT. */
  disconnect(reasonCode: number, reason: string): void
}

export class FakeGate {
  readonly port: number
  readonly published: IPublishPacket[] = []
  /** Common name and client id of each CONNECT. */
  readonly connects: { readonly commonName: string; readonly clientId: string }[] = []
  readonly #close: () => void

  private constructor(port: number, close: () => void) {
    this.port = port
    this.#close = close
  }

  static async start(options: FakeGateOptions): Promise<FakeGate> {
    const sockets = new Set<TLSSocket>()
    const { key, certificate: cert } = options.tls
    const server = createServer(
      { key, cert, ca: options.ca, requestCert: true, rejectUnauthorized: true },
      (socket) => {
        sockets.add(socket)
        socket.on('close', () => sockets.delete(socket))
        socket.on('error', () => {})
        gate.#serve(socket, options)
      },
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const gate = new FakeGate((server.address() as AddressInfo).port, () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    return gate
  }

  stop(): void {
    this.#close()
  }

  #serve(socket: TLSSocket, { answer, onPublish }: FakeGateOptions): void {
    const protocolVersion = { protocolVersion: 5 }
    const commonName = String(socket.getPeerCertificate().subject.CN)
    const packets = parser(protocolVersion)
    let session: FakeSession | null = null
    packets.on('packet', (packet) => {
      if (packet.cmd === 'connect') {
        const { clientId } = packet
        const nth = this.connects.filter((each) => each.clientId === clientId).length
        this.connects.push({ commonName, clientId })
        const { reasonCode, reason } = answer?.(clientId, nth) ?? { reasonCode: 0, reason: '' }
        const properties = reason === '' ? {} : { properties: { reasonString: reason } }
        const connack: IConnackPacket = { cmd: 'connack', sessionPresent: false, reasonCode, ...properties }
        socket.write(generate(connack, protocolVersion))
        if (reasonCode !== 0) socket.end()
        session = {
          clientId,
          commonName,
          disconnect: (code, text) => {
            const farewell = { cmd: 'disconnect', reasonCode: code, properties: { reasonString: text } } as const
            socket.end(generate(farewell, protocolVersion))
          },
        }
      } else if (packet.cmd === 'publish') {
        this.published.push(packet)
        if (packet.messageId !== undefined) {
          socket.write(generate({ cmd: 'puback', messageId: packet.messageId, reasonCode: 0 }, protocolVersion))
        }
        if (session !== null) onPublish?.(session, packet)
      }
    })
    socket.on('data', (chunk: Buffer) => packets.parse(chunk))
  }
}

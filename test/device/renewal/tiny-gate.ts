/** A server that answers CONNECT over TLS as it is told, and keeps what it saw. */
import type { AddressInfo } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { parseConnect } from '../../../src/core/mqtt/connect.ts'
import { Violation } from '../../../src/core/mqtt/violation.ts'
import type { KeyAndCertificate } from '../est-authority.ts'

export interface Gate {
  readonly port: number
  /** Certificates of clients in DER. */
  readonly shown: Buffer[]
  readonly clientIds: string[]
  /** A number is a reason code of MQTT 5. */
  answer(how: 'admit' | 'silence' | number): void
  stop(): void
}

export async function startGate({ key, certificate }: KeyAndCertificate): Promise<Gate> {
  let how: 'admit' | 'silence' | number = 'admit'
  const shown: Buffer[] = []
  const clientIds: string[] = []
  const sockets = new Set<TLSSocket>()
  const server = createServer({ key, cert: certificate, requestCert: true, rejectUnauthorized: false }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', (chunk: Buffer) => {
      const connect = parseConnect(chunk)
      if (connect instanceof Violation) throw new Error(connect.sentence)
      const peer = socket.getPeerX509Certificate()
      if (peer !== undefined) shown.push(peer.raw)
      clientIds.push(connect.clientId)
      if (how === 'silence') socket.destroy()
      else socket.write(Buffer.of(0x20, 3, 0, how === 'admit' ? 0 : how, 0))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    shown,
    clientIds,
    answer(next) {
      how = next
    },
    stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** A TLS server that asks for a client certificate and keeps what it was shown. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls'
import type { KeyAndCertificate } from './est-authority.ts'

export interface AskingServer {
  readonly port: number
  /** SHA-256 of the certificate of each connection so far, in order; null where none was shown. */
  readonly shown: readonly (string | null)[]
  /** Fulfilled when so many connections were made. */
  saw(count: number): Promise<void>
}

/** @param serve what it does with a connection; it stays open where nothing is given */
export async function startAskingServer(
  context: { after(step: () => void): void },
  { key, certificate }: KeyAndCertificate,
  options: TlsOptions = {},
  serve: (socket: TLSSocket) => void = (socket) => socket.resume(),
): Promise<AskingServer> {
  const shown: (string | null)[] = []
  const open = new Set<TLSSocket>()
  const waiting = new Set<() => void>()
  const server = createServer(
    { key, cert: certificate, requestCert: true, rejectUnauthorized: false, ...options },
    (socket) => {
      open.add(socket)
      socket.on('error', () => {})
      shown.push(socket.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase() ?? null)
      for (const look of waiting) look()
      serve(socket)
    },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    shown,
    saw: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (shown.length < count) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
  }
}

/** A TLS client that sends the bytes a test gives it and reads MQTT packets with a codec that is not ours. */
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from 'node:tls'
import { generate, type Packet, parser } from 'mqtt-packet'
import { serverCertificate, type TestCertificate } from './certificates.ts'

export class RawClient {
  readonly socket: TLSSocket
  readonly packets: Packet[] = []
  /** Fulfilled with the last error, or null, when the socket is closed. */
  readonly closed: Promise<Error | null>
  readonly #version: 4 | 5
  #waiting: (() => void)[] = []
  #error: Error | null = null

  constructor(socket: TLSSocket, version: 4 | 5) {
    this.socket = socket
    this.#version = version
    const codec = parser({ protocolVersion: version })
    codec.on('packet', (packet) => {
      this.packets.push(packet)
      this.#wake()
    })
    codec.on('error', () => {})
    socket.on('data', (chunk) => codec.parse(chunk))
    socket.on('error', (error) => {
      this.#error = error
    })
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#wake()
        resolve(this.#error)
      })
    })
  }

  send(...packets: object[]): void {
    const bytes = packets.map((packet) => generate(packet as Packet, { protocolVersion: this.#version }))
    this.socket.write(Buffer.concat(bytes))
  }

  connect(fields: object = {}): void {
    this.send({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: this.#version,
      clientId: 'main',
      clean: true,
      keepalive: 0,
      ...fields,
    })
  }

  /** The next packet of a kind, taken off the list; rejects when the connection closes without one. */
  async next(cmd: string): Promise<Packet & Record<string, unknown>> {
    for (;;) {
      const at = this.packets.findIndex((packet) => packet.cmd === cmd)
      if (at >= 0) return this.packets.splice(at, 1)[0] as unknown as Packet & Record<string, unknown>
      if (this.socket.destroyed) throw new Error(`the connection closed before a ${cmd} came`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}

/** A client after its handshake. */
export async function rawClient(
  port: number,
  certificate: TestCertificate | null,
  version: 4 | 5 = 5,
  options: ConnectionOptions = {},
): Promise<RawClient> {
  const socket = tlsConnect({
    host: '127.0.0.1',
    servername: 'localhost',
    port,
    ca: serverCertificate.cert,
    ...(certificate === null ? {} : { key: certificate.key, cert: certificate.cert }),
    ...options,
  })
  const client = new RawClient(socket, version)
  await new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve)
    socket.once('error', reject)
  })
  return client
}

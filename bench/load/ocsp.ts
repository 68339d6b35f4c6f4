/** Whoever asks for the status of certificates, over plain HTTP. */

import { readFileSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import type { Tasks } from './tasks.ts'

/** Asks for one certificate after the other, on connections that are kept or not. Each answer must be a successful one. */
export async function askOcsp(request: Tasks['askOcsp']['request']): Promise<Tasks['askOcsp']['answer']> {
  const { target, path, file, count, atOnce, isKeptAlive } = request
  const bodies = readFileSync(file, 'latin1')
    .trim()
    .split('\n')
    .map((line) => Buffer.from(line, 'base64'))
  const heads = bodies.map((body) =>
    Buffer.concat([
      Buffer.from(
        `POST ${path} HTTP/1.1\r\nHost: ${target.host}\r\nContent-Type: application/ocsp-request\r\n` +
          `Content-Length: ${body.length}\r\n${isKeptAlive ? '' : 'Connection: close\r\n'}\r\n`,
      ),
      body,
    ]),
  )
  let next = 0
  const begun = performance.now()
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      let connection: Connection | null = null
      while (next < count) {
        const question = heads[next % heads.length] ?? Buffer.alloc(0)
        next += 1
        connection ??= await Connection.open(target.host, target.port)
        const answer = await connection.ask(question)
        // ENUMERATED successful, behind the header of the OCSPResponse.
        if (answer.status !== 200 || !answer.body.includes(successful))
          throw new Error('an OCSP request was not answered')
        if (isKeptAlive && answer.isOpen) continue
        connection.end()
        connection = null
      }
      connection?.end()
    }),
  )
  return { seconds: (performance.now() - begun) / 1000 }
}

/** Asks for each certificate once and writes the answers down. */
export async function collectOcsp({ target, path, file, out }: Tasks['collectOcsp']['request']): Promise<null> {
  const answers: string[] = []
  for (const line of readFileSync(file, 'latin1').trim().split('\n')) {
    const answer = await fetch(`http://${target.host}:${target.port}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/ocsp-request' },
      body: Buffer.from(line, 'base64'),
    })
    answers.push(Buffer.from(await answer.arrayBuffer()).toString('base64'))
  }
  writeFileSync(out, answers.join('\n'))
  return null
}

const successful = Buffer.from([0x0a, 1, 0])

interface Answer {
  readonly status: number
  readonly body: Buffer
  readonly isOpen: boolean
}

/** One question at a time. */
class Connection {
  readonly #socket: Socket
  #received: Buffer = Buffer.alloc(0)
  #hasEnded = false
  #waiting: { resolve(answer: Answer): void; reject(error: Error): void } | null = null

  static open(host: string, port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => resolve(new Connection(socket)))
    })
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
      this.#look()
    })
    socket.on('error', (error) => this.#waiting?.reject(error))
    socket.on('end', () => {
      this.#hasEnded = true
      this.#look()
      this.#waiting?.reject(new Error('the connection ended before an answer'))
    })
  }

  ask(question: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#socket.write(question)
    })
  }

  end(): void {
    this.#socket.destroy()
  }

  #look(): void {
    const headEnd = this.#received.indexOf('\r\n\r\n')
    if (headEnd < 0 || this.#waiting === null) return
    const head = this.#received.toString('latin1', 0, headEnd)
    const length = /\r\ncontent-length: *([0-9]+)/i.exec(head)?.[1]
    const bodyStart = headEnd + 4
    const bytes = length === undefined ? null : Number(length)
    // Without a length the end of the connection is the end of the answer.
    if (bytes === null ? !this.#hasEnded : this.#received.length < bodyStart + bytes) return
    const body = this.#received.subarray(bodyStart, bytes === null ? undefined : bodyStart + bytes)
    const { resolve } = this.#waiting
    this.#waiting = null
    this.#received = Buffer.alloc(0)
    const isOpen = bytes !== null && !/\r\nconnection: *close/i.test(head) && head.startsWith('HTTP/1.1')
    resolve({ status: Number(head.slice(9, 12)), body, isOpen })
  }
}

/** The admin API of a hub, as far as a test fills it, on a unix socket in a data directory. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'

export interface ApiRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly authorization: string
  readonly body: unknown
}

/** What of the header tells how a request is meant. */
export interface ApiIntent {
  readonly idempotencyKey: string | undefined
  readonly ifMatch: string | undefined
}

export interface ApiAnswer {
  readonly status: number
  readonly body: unknown
}

/** The connection ends without an answer, as when the hub is killed. */
export const lost: ApiAnswer = { status: 0, body: null }

export class FakeHub {
  readonly data: string
  readonly requests: ApiRequest[] = []
  /** Of the same requests, in the same order. */
  readonly intents: ApiIntent[] = []
  readonly #server: Server

  private constructor(data: string, server: Server) {
    this.data = data
    this.#server = server
  }

  static async start(data: string, answer: (request: ApiRequest) => ApiAnswer): Promise<FakeHub> {
    mkdirSync(join(data, 'run'), { recursive: true })
    const socket = join(data, 'run', 'api.sock')
    const server = createServer((incoming, response) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        const request = {
          method: incoming.method ?? '',
          url: incoming.url ?? '',
          authorization: incoming.headers.authorization ?? '',
          body: text === '' ? undefined : JSON.parse(text),
        }
        hub.requests.push(request)
        const [key, ifMatch] = [incoming.headers['idempotency-key'], incoming.headers['if-match']]
        hub.intents.push({ idempotencyKey: key?.toString(), ifMatch })
        const { status, body } = answer(request)
        if (status === 0) {
          incoming.socket.destroy()
          return
        }
        const type = status < 400 ? 'application/json' : 'application/problem+json'
        response.writeHead(status, { 'Content-Type': type }).end(JSON.stringify(body))
      })
    })
    const hub = new FakeHub(data, server)
    await new Promise<void>((resolve) => server.listen(socket, resolve))
    writeFileSync(join(data, 'run', 'api.json'), JSON.stringify({ socket }))
    writeFileSync(join(data, 'admin.key'), 'the-key\n')
    return hub
  }

  /** Ends as `kill -9` does: the files stay. */
  stop(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

/** A problem as the hub sends it. */
export function problem(status: number, code: string, detail: string, hint: string): ApiAnswer {
  return { status, body: { type: 'about:blank', title: detail, status, detail, code, failureId: 'HF-1', hint } }
}

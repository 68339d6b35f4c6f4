/** Calls of the admin API over its unix socket, on connections that are kept: what is measured is the hub, not its callers. */
import { Agent, request } from 'node:http'
import { locateHub } from '../../src/cli/locate-hub.ts'

const callMs = 30_000

export class ApiCaller {
  readonly #agent: Agent
  readonly #socketPath: string
  readonly #key: string

  /** @param data data directory of a hub that runs */
  constructor(data: string, connectionsMax: number) {
    const hub = locateHub({ data, env: {}, directory: '/' })
    if (hub.kind !== 'socket') throw new Error('the hub of a data directory is on a socket')
    this.#socketPath = hub.socketPath
    this.#key = hub.key.reveal()
    this.#agent = new Agent({ keepAlive: true, maxSockets: connectionsMax })
  }

  get<T>(path: string): Promise<T> {
    return this.#call<T>('GET', path, undefined)
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.#call<T>('POST', path, JSON.stringify(body))
  }

  close(): void {
    this.#agent.destroy()
  }

  #call<T>(method: string, path: string, body: string | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const outgoing = request({
        agent: this.#agent,
        socketPath: this.#socketPath,
        method,
        path: `/api/v1${path}`,
        signal: AbortSignal.timeout(callMs),
        headers: {
          Authorization: `Bearer ${this.#key}`,
          ...(body === undefined
            ? {}
            : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }),
        },
      })
      outgoing.once('error', reject)
      outgoing.once('response', (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.once('error', reject)
        incoming.once('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          const { statusCode = 0 } = incoming
          if (statusCode >= 200 && statusCode < 300) resolve(JSON.parse(text) as T)
          else reject(new Error(`${method} ${path} was answered with ${statusCode}: ${text}`))
        })
      })
      outgoing.end(body)
    })
  }
}

/** Runs the work with a caller of its own. */
export async function withApi<T>(
  data: string,
  connectionsMax: number,
  work: (api: ApiCaller) => Promise<T>,
): Promise<T> {
  const api = new ApiCaller(data, connectionsMax)
  try {
    return await work(api)
  } finally {
    api.close()
  }
}

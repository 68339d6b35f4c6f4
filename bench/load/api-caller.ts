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
    if (hub.kind !== 'socket' || hub.key === null) throw new Error('the hub of a data directory is on a socket')
    this.#socketPath = hub.socketPath
    this.#key = hub.key.reveal()
    this.#agent = new Agent({ keepAlive: true, maxSockets: connectionsMax })
  }

  async get<T>(path: string): Promise<T> {
    return JSON.parse(await this.#call('GET', path, null)) as T
  }

  async post<T>(path: string, body: unknown): Promise<T> {
    return JSON.parse(await this.#call('POST', path, { type: 'application/json', text: JSON.stringify(body) })) as T
  }

  /** Sends values and takes values, a line of JSON for each. */
  async postLines<T>(path: string, values: readonly unknown[]): Promise<readonly T[]> {
    const text = values.map((value) => `${JSON.stringify(value)}\n`).join('')
    const answer = await this.#call('POST', path, { type: 'application/x-ndjson', text })
    return answer.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as T]))
  }

  close(): void {
    this.#agent.destroy()
  }

  #call(method: string, path: string, body: { readonly type: string; readonly text: string } | null): Promise<string> {
    return new Promise((resolve, reject) => {
      const outgoing = request({
        agent: this.#agent,
        socketPath: this.#socketPath,
        method,
        path: `/api/v1${path}`,
        signal: AbortSignal.timeout(callMs),
        headers: {
          Authorization: `Bearer ${this.#key}`,
          ...(body === null ? {} : { 'Content-Type': body.type, 'Content-Length': Buffer.byteLength(body.text) }),
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
          if (statusCode >= 200 && statusCode < 300) resolve(text)
          else reject(new Error(`${method} ${path} was answered with ${statusCode}: ${text}`))
        })
      })
      outgoing.end(body?.text)
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

/**
 * Aedes in a thread of its own as the broker behind the gate. All connections share one port; each has credit both ways.
 *
 * Everything the broker holds (sessions, queues, retained messages) is in its memory and ends with its thread; the limits
 * are in `broker-limits.ts`.
 */
import { HubError } from '../../../core/errors.ts'
import { encodeConnect } from '../../../core/mqtt/connect.ts'
import type { Log } from '../../../hub/ports/log.ts'
import type { Upstream, UpstreamClient, UpstreamConnection, UpstreamListener } from '../../../hub/ports/upstream.ts'
import { brokerLimits } from './broker-limits.ts'
import { FramedConnections } from './framed-connections.ts'
import { readFrames } from './frames.ts'
import { FrameLink } from './link.ts'
import { SupervisedWorker } from './supervised-worker.ts'

export interface EmbeddedUpstreamOptions {
  readonly log: Log
  /** The file that the thread runs; a test may wrap the real one. */
  readonly workerFile?: URL
  /** JavaScript heap that the broker may use, in MiB; `brokerLimits.heapMebibytesMax` when it is left out. */
  readonly heapMebibytesMax?: number
}

/**
 * Starts the embedded broker; it serves when this is fulfilled.
 *
 * @throws HubError `upstream-unavailable` when its thread does not come up
 */
export async function startEmbeddedUpstream(
  options: EmbeddedUpstreamOptions,
): Promise<Upstream & { readonly kind: 'embedded'; restarts(): number }> {
  const upstream = new EmbeddedUpstream(options)
  await upstream.start()
  return upstream
}

/** A clone runs the source, a package what was compiled from it; the compiler rewrites specifiers, not URLs. */
const defaultWorkerFile = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)

class EmbeddedUpstream implements Upstream {
  readonly kind = 'embedded'
  readonly abilities = {
    protocolVersions: new Set([4, 5] as const),
    qosMax: 2,
    retain: true,
    sharedSubscriptions: false,
  } as const
  readonly #worker: SupervisedWorker
  readonly #connections = new FramedConnections()
  /** The way to the thread, null while there is none. */
  #link: FrameLink | null = null

  constructor({
    log,
    workerFile = defaultWorkerFile,
    heapMebibytesMax = brokerLimits.heapMebibytesMax,
  }: EmbeddedUpstreamOptions) {
    this.#worker = new SupervisedWorker(
      { file: workerFile, heapMebibytesMax },
      {
        onUp: (worker) => {
          this.#link = new FrameLink(worker)
        },
        onMessage: (buffer) => readFrames(buffer, this.#connections.reader),
        onDown: () => this.#endAll(true),
      },
      log,
    )
  }

  async start(): Promise<void> {
    await this.#worker.start()
  }

  isAvailable(): boolean {
    return this.#link !== null
  }

  restarts(): number {
    return this.#worker.restarts()
  }

  connect(client: UpstreamClient, listener: UpstreamListener): UpstreamConnection {
    const link = this.#link
    if (link === null) throw new HubError('upstream-unavailable', 'the embedded broker is being started again')
    const connection = this.#connections.open(link, listener)
    connection.send(introduce(client))
    return connection
  }

  async stop(): Promise<void> {
    this.#endAll(false)
    await this.#worker.stop()
  }

  #endAll(broken: boolean): void {
    this.#link?.cut()
    this.#link = null
    this.#connections.endAll(broken)
  }
}

/** The identity stands in front of the client id, so that nobody meets a session of another. */
function introduce({ owner, clientId, connect, keepAliveSec }: UpstreamClient): Buffer {
  return encodeConnect(connect, { clientId: `${owner}/${clientId}`, keepAliveSec })
}

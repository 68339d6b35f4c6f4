/**
 * Aedes in a thread of its own as the broker behind the gate. All connections share one port; each has credit both ways.
 *
 * Everything the broker holds (sessions, queues, retained messages) is in its memory and ends with its thread; the limits
 * are in `broker-limits.ts`.
 */
import { HubError } from '../../../core/errors.ts'
import { limits } from '../../../core/limits.ts'
import { encodeConnect } from '../../../core/mqtt/connect.ts'
import type { Log } from '../../../hub/ports/log.ts'
import type { Upstream, UpstreamClient, UpstreamConnection, UpstreamListener } from '../../../hub/ports/upstream.ts'
import { brokerLimits } from './broker-limits.ts'
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

const connectionNumberMax = 0xffff_ffff

class EmbeddedUpstream implements Upstream {
  readonly kind = 'embedded'
  readonly abilities = {
    protocolVersions: new Set([4, 5] as const),
    qosMax: 2,
    retain: true,
    sharedSubscriptions: false,
  } as const
  readonly #worker: SupervisedWorker
  readonly #connections = new Map<number, Connection>()
  /** The way to the thread, null while there is none. */
  #link: FrameLink | null = null
  #lastNumber = 0

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
        onMessage: (buffer) => this.#read(buffer),
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
    do {
      this.#lastNumber = this.#lastNumber === connectionNumberMax ? 1 : this.#lastNumber + 1
    } while (this.#connections.has(this.#lastNumber))
    const number = this.#lastNumber
    const connection = new Connection(link, number, listener, () => this.#connections.delete(number))
    this.#connections.set(number, connection)
    connection.send(introduce(client))
    return connection
  }

  async stop(): Promise<void> {
    this.#endAll(false)
    await this.#worker.stop()
  }

  #read(buffer: ArrayBuffer): void {
    readFrames(buffer, {
      onOpen: () => {},
      onData: (number, bytes) => this.#connections.get(number)?.receive(bytes),
      onCredit: (number, bytes) => this.#connections.get(number)?.taken(bytes),
      onClose: (number) => this.#connections.get(number)?.end(false),
    })
  }

  #endAll(broken: boolean): void {
    this.#link?.cut()
    this.#link = null
    for (const connection of [...this.#connections.values()]) connection.end(broken)
  }
}

/** The identity stands in front of the client id, so that nobody meets a session of another. */
function introduce({ owner, clientId, connect, keepAliveSec }: UpstreamClient): Buffer {
  return encodeConnect(connect, { clientId: `${owner}/${clientId}`, keepAliveSec })
}

class Connection implements UpstreamConnection {
  readonly #link: FrameLink
  readonly #number: number
  readonly #listener: UpstreamListener
  readonly #forget: () => void
  /** Bytes sent that the broker has not taken. */
  #untaken = 0
  #mustWait = false
  /** Bytes delivered that the broker has not been given credit for. */
  #uncredited = 0
  #paused = false
  #ended = false

  constructor(link: FrameLink, number: number, listener: UpstreamListener, forget: () => void) {
    this.#link = link
    this.#number = number
    this.#listener = listener
    this.#forget = forget
    link.open(number)
  }

  send(bytes: Uint8Array): boolean {
    if (this.#ended) return true
    this.#link.data(this.#number, bytes)
    this.#untaken += bytes.length
    this.#mustWait = this.#untaken >= limits.upstreamCreditBytes
    return !this.#mustWait
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#giveCredit(1)
  }

  close(): void {
    if (this.#ended) return
    this.#ended = true
    this.#forget()
    this.#link.close(this.#number)
  }

  /** Bytes from the broker. A client that is paused still gets them, at most one credit's worth. */
  receive(bytes: Buffer): void {
    if (this.#ended) return
    this.#uncredited += bytes.length
    this.#listener.onData(bytes)
    if (!this.#paused) this.#giveCredit(limits.upstreamCreditBytes / 4)
  }

  /** The broker has taken so many bytes. */
  taken(bytes: number): void {
    if (this.#ended) return
    this.#untaken -= bytes
    if (!this.#mustWait || this.#untaken > limits.upstreamCreditBytes / 2) return
    this.#mustWait = false
    this.#listener.onDrain()
  }

  end(broken: boolean): void {
    if (this.#ended) return
    this.#ended = true
    this.#forget()
    this.#listener.onClose(broken)
  }

  /** Small debts wait, so that not every packet costs a frame back; the broker has the rest of the credit meanwhile. */
  #giveCredit(bytesMin: number): void {
    if (this.#ended || this.#uncredited < bytesMin) return
    this.#link.credit(this.#number, this.#uncredited)
    this.#uncredited = 0
  }
}

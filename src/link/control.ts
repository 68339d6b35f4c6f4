/** One end of a control connection: messages out, messages in, and the rule that whoever is silent for long is gone. */
import type { TLSSocket } from 'node:tls'
import { HubError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { encodeFrame, FrameReader } from './frames.ts'
import { linkLimits } from './limits.ts'

export interface ControlOptions {
  /** Takes what the other end says, as parsed JSON; what it throws ends the connection. */
  readonly onMessage: (message: unknown) => void
  /** Called once, last. @param why null where the other end has closed it */
  readonly onEnd: (why: HubError | null) => void
}

/** Reads from now on. Errors of the socket are handled here. */
export class Control {
  readonly #socket: TLSSocket
  readonly #options: ControlOptions
  readonly #reader = new FrameReader()
  #why: HubError | null = null
  #isFinished = false
  #heardAt = performance.now()
  readonly #timer: NodeJS.Timeout

  constructor(socket: TLSSocket, options: ControlOptions) {
    this.#socket = socket
    this.#options = options
    this.#timer = setInterval(() => this.#look(), linkLimits.silenceMs / 4)
    socket.on('data', (piece: Buffer) => this.#take(piece))
    socket.on('error', (cause) => this.cut(broken('the connection broke', cause)))
    // Where nothing is said any more, nothing is heard either.
    socket.once('end', () => socket.destroy())
    socket.once('close', () => {
      clearInterval(this.#timer)
      this.#options.onEnd(this.#why)
    })
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed
  }

  /** Whether what can wait may be said now: half of what waits at the most is left to what cannot. */
  get hasRoom(): boolean {
    return this.#socket.writableLength <= linkLimits.waitingBytesMax / 2
  }

  say(message: object): void {
    if (!this.#socket.writable) return
    this.#socket.write(encodeFrame(message))
    if (this.#socket.writableLength > linkLimits.waitingBytesMax) this.cut(broken('the other end does not read'))
  }

  /** Says one last thing and closes, also where the other end does not read it. */
  finish(message: object): void {
    this.say(message)
    this.#isFinished = true
    finishSoon(this.#socket)
  }

  cut(why: HubError): void {
    this.#why ??= why
    this.#socket.destroy()
  }

  /** Takes no more for now; what is under way must be done first. */
  hold(): void {
    this.#socket.pause()
  }

  goOn(): void {
    this.#heardAt = performance.now()
    this.#socket.resume()
  }

  #take(piece: Buffer): void {
    this.#heardAt = performance.now()
    try {
      for (const message of this.#reader.push(piece)) {
        if (this.#why !== null || this.#isFinished) return
        this.#options.onMessage(message)
      }
    } catch (error) {
      this.cut(
        error instanceof HubError
          ? error
          : new HubError('internal', 'a message could not be handled', { cause: error }),
      )
    }
  }

  #look(): void {
    if (this.#socket.isPaused()) return
    if (performance.now() - this.#heardAt > linkLimits.silenceMs) this.cut(broken('the other end is silent'))
  }
}

/** Closes a connection once what was written is sent, or a moment later. */
export function finishSoon(socket: TLSSocket): void {
  const timer = setTimeout(() => socket.destroy(), limits.farewellMs)
  socket.once('close', () => clearTimeout(timer))
  socket.destroySoon()
}

export function broken(what: string, cause?: unknown): HubError {
  return new HubError('gate-link-broken', `the gate link is down: ${what}`, { cause })
}

/** Hears from the hub who has changed, at once, and knows how old its word is. */
import { setTimeout as delay } from 'node:timers/promises'
import { HubError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { Changes } from './wire.ts'

interface Surroundings {
  /** One question for changes; answers when there are some, or after so many seconds. */
  poll(after: string | null, waitSec: number, signal: AbortSignal): Promise<Changes>
  /** What has changed counts no more from the moment in which this is called. @param ids null for everything */
  forget(ids: readonly string[] | null): void
  /** Reads again what everybody depends on. What it throws makes the change untold: it is asked for again. */
  readAgain(): Promise<void>
  /** All is told. */
  changed(): void
  warn(error: unknown): void
  readonly staleSec: number
  /** Milliseconds that nobody sets back. */
  monotonicMs(): number
}

export class Follower {
  readonly #surroundings: Surroundings
  readonly #stop = new AbortController()
  #position: string | null = null
  #heardAtMs = Number.NEGATIVE_INFINITY

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
  }

  /** Hears once; everything is new then. @throws HubError where that is not possible */
  async begin(): Promise<void> {
    await this.#hear()
    void this.#follow()
  }

  /** Whether what is known may be relied on. */
  isFresh(): boolean {
    const { staleSec, monotonicMs } = this.#surroundings
    return monotonicMs() - this.#heardAtMs <= staleSec * 1_000
  }

  stop(): void {
    this.#stop.abort()
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop
    let retryMs: number = limits.verifyRetryMsMin
    while (!signal.aborted) {
      try {
        await this.#hear()
        retryMs = limits.verifyRetryMsMin
      } catch (error) {
        if (signal.aborted) return
        this.#surroundings.warn(error)
        await delay(retryMs, undefined, { signal, ref: false }).catch(() => {})
        retryMs = Math.min(retryMs * 2, limits.verifyRetryMsMax)
      }
    }
  }

  /**
   * The hub answers some time between the question and its answer, so what it says is as young as the question at the least: that is the
   * age that counts, however long an answer was held up on its way.
   */
  async #hear(): Promise<void> {
    const { poll, forget, readAgain, changed, monotonicMs, staleSec } = this.#surroundings
    const longSec = Math.max(1, Math.min(limits.verifyPollSecMax, Math.floor(staleSec / 3)))
    // Whoever relies on nothing any more wants to hear that nothing has changed, and does not wait until something does.
    const waitSec = this.isFresh() ? longSec : 0
    const askedAtMs = monotonicMs()
    const { position, changed: ids } = await poll(this.#position, waitSec, this.#stop.signal)
    if (this.#stop.signal.aborted) throw new HubError('verify-hub-silent', 'it was stopped')
    if (ids === null || ids.length > 0) forget(ids)
    if (ids === null) {
      // Until it is read, the next question asks for everything again.
      this.#position = null
      await readAgain()
    }
    this.#position = position
    this.#heardAtMs = askedAtMs
    if (ids === null || ids.length > 0) changed()
  }
}

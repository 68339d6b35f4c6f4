/**
 * Notices when a client has been silent for too long. Hearing it costs one reading of the clock; the timer is set anew only
 * when it fires, for what is left.
 */
export class SilenceWatch {
  readonly #silenceMs: number
  readonly #silent: () => void
  #heardAt = performance.now()
  #timer: NodeJS.Timeout | undefined

  /** @param silenceMs more than 0 */
  constructor(silenceMs: number, silent: () => void) {
    this.#silenceMs = silenceMs
    this.#silent = silent
    this.#sleep(silenceMs)
  }

  heard(): void {
    this.#heardAt = performance.now()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #sleep(ms: number): void {
    this.#timer = setTimeout(() => this.#look(), Math.ceil(ms)).unref()
  }

  #look(): void {
    const leftMs = this.#heardAt + this.#silenceMs - performance.now()
    if (leftMs <= 0) this.#silent()
    else this.#sleep(leftMs)
  }
}

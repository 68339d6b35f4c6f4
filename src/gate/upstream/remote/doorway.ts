/**
 * The way in to a broker on a unix socket, whose queue is short: Mosquitto's holds ten connections that it has not taken yet,
 * and the kernel refuses the next with EAGAIN, where over TCP it would wait. Those that are refused wait here for their turn.
 */

/** Between two tries; a broker takes what its queue holds within about as much. */
const PAUSE_MS = 2

/** Tried in one turn: about what a queue holds. */
const TRIED_AT_ONCE = 8

export class Doorway {
  /** First in, first tried. */
  readonly #waiting: (() => void)[] = []
  #timer: NodeJS.Timeout | undefined

  /** Calls `tryIt`: at once, or after those that wait already. It is for the caller to have given up by then. */
  enter(tryIt: () => void): void {
    if (this.#timer === undefined) tryIt()
    else this.#waiting.push(tryIt)
  }

  /** The queue of the broker was full: `tryIt` is called again, before those that have not been tried. */
  enterAgain(tryIt: () => void): void {
    this.#waiting.unshift(tryIt)
    this.#timer ??= setTimeout(() => this.#turn(), PAUSE_MS)
  }

  #turn(): void {
    const tried = this.#waiting.splice(0, TRIED_AT_ONCE)
    // Whoever comes anew stays behind those that wait.
    this.#timer = this.#waiting.length > 0 ? setTimeout(() => this.#turn(), PAUSE_MS) : undefined
    for (const tryIt of tried) tryIt()
  }
}

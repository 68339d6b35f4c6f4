/**
 * Turns for questions of which only some may be open at one time. Those who are asked about for the first time and those who are asked
 * about again stand in two lanes and go in alternately, each lane in its order: neither starves behind the other.
 */

export type Lane = 'first' | 'again'

interface Bounds {
  /** Questions that are open at one time. */
  readonly openMax: number
  /** How many may wait in each lane, */
  readonly waitingMax: number
  /** and for how long, in milliseconds. */
  readonly waitMs: number
}

export class Turns {
  readonly #bounds: Bounds
  readonly #lanes: Readonly<Record<Lane, Set<() => void>>> = { first: new Set(), again: new Set() }
  #open = 0
  #next: Lane = 'first'

  constructor(bounds: Bounds) {
    this.#bounds = bounds
  }

  /** @returns null where no turn came in time, and the question was not asked */
  async take<T>(lane: Lane, question: () => Promise<T>): Promise<T | null> {
    if (!(await this.#begun(lane))) return null
    try {
      return await question()
    } finally {
      this.#open -= 1
      this.#callNext()
    }
  }

  #begun(lane: Lane): Promise<boolean> {
    const { openMax, waitingMax, waitMs } = this.#bounds
    if (this.#open < openMax) {
      this.#open += 1
      return Promise.resolve(true)
    }
    const waiting = this.#lanes[lane]
    if (waiting.size >= waitingMax) return Promise.resolve(false)
    return new Promise((resolve) => {
      const begin = (): void => {
        clearTimeout(timer)
        resolve(true)
      }
      const timer = setTimeout(() => {
        waiting.delete(begin)
        resolve(false)
      }, waitMs)
      timer.unref()
      waiting.add(begin)
    })
  }

  #callNext(): void {
    const lane = this.#lanes[this.#next].size > 0 ? this.#next : other(this.#next)
    const [begin] = this.#lanes[lane]
    if (begin === undefined) return
    this.#lanes[lane].delete(begin)
    this.#next = other(lane)
    this.#open += 1
    begin()
  }
}

function other(lane: Lane): Lane {
  return lane === 'first' ? 'again' : 'first'
}

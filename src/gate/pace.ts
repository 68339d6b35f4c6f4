/**
 * Keeps a client to a rate. What it sends is never thrown away for it: once it is ahead by more than a second's worth, no more
 * is read from it until it is not.
 */
export class Pace {
  /** Messages counted and not yet paid for by time. */
  #owed = 0
  #countedAtMs = 0

  count(): void {
    this.#owed++
  }

  /**
   * For how long nothing should be read, in milliseconds; 0 when the client keeps to its rate.
   *
   * @param rate messages a second
   */
  debtMs(rate: number, nowMs: number): number {
    const paid = (Math.max(0, nowMs - this.#countedAtMs) / 1000) * rate
    this.#owed = Math.max(0, this.#owed - paid)
    this.#countedAtMs = nowMs
    return this.#owed <= rate ? 0 : ((this.#owed - rate) / rate) * 1000
  }
}

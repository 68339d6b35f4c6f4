/** A line on standard error that grows, for a person at a terminal; programs see nothing of it. */

const columns = 30
/** Milliseconds between two pictures. */
const everyMs = 100

export class ProgressBar {
  readonly #total: number
  readonly #isShown: boolean
  #lastMs = Number.NEGATIVE_INFINITY

  constructor(total: number) {
    this.#total = total
    this.#isShown = process.stderr.isTTY === true && total > 0
  }

  /** @param note stands behind the numbers */
  show(done: number, note: string): void {
    const nowMs = performance.now()
    if (!this.#isShown || nowMs - this.#lastMs < everyMs) return
    this.#lastMs = nowMs
    const share = Math.min(1, done / this.#total)
    const bar = '#'.repeat(Math.round(share * columns)).padEnd(columns, '.')
    const numbers = `${done.toLocaleString('en')} of ${this.#total.toLocaleString('en')} rows`
    process.stderr.write(`\r[${bar}] ${numbers}${note}\u001b[K`)
  }

  /** Takes the line away. */
  end(): void {
    if (this.#isShown) process.stderr.write('\r\u001b[K')
  }
}

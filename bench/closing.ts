/** What must be undone when the run ends, however it ends. */
export class Closing {
  readonly #steps: (() => unknown)[] = []

  /** Steps run in reverse order. */
  after(step: () => unknown): void {
    this.#steps.push(step)
  }

  async run(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step()
      } catch (error) {
        process.stderr.write(`bench: cleaning up: ${error instanceof Error ? error.message : String(error)}\n`)
      }
    }
  }
}

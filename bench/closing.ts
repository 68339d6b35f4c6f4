/** What must be undone when the run ends, however it ends. */
export class Closing {
  readonly #steps: (() => unknown)[] = []
  #isClosed = false

  /** Steps run in reverse order; one that comes when all is closed already runs at once. */
  after(step: () => unknown): void {
    if (this.#isClosed) void runStep(step)
    else this.#steps.push(step)
  }

  async run(): Promise<void> {
    this.#isClosed = true
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) await runStep(step)
  }
}

async function runStep(step: () => unknown): Promise<void> {
  try {
    await step()
  } catch (error) {
    process.stderr.write(`bench: cleaning up: ${error instanceof Error ? error.message : String(error)}\n`)
  }
}

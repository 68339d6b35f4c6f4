import type { Log } from '../hub/ports/log.ts'

/** What must be closed, in reverse order of opening. */
export class Closing {
  readonly #log: Log
  readonly #steps: { readonly name: string; readonly close: () => void | Promise<void> }[] = []

  constructor(log: Log) {
    this.#log = log
  }

  add(name: string, close: () => void | Promise<void>): void {
    this.#steps.push({ name, close })
  }

  async run(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step.close()
      } catch (error) {
        this.#log.error('a part of the hub could not be closed', { part: step.name, error })
      }
    }
  }
}

/** Ending at the word of a person or a supervisor. */
import { exitStatus } from '../core/failure/wire-forms.ts'

/** One Ctrl-C may come more than once: from the terminal, and again from each launcher on the way. */
const echoMs = 500

/** Calls `stop` at the first SIGINT or SIGTERM; a second one ends the process at once. */
export function onStopSignal(stop: (signal: NodeJS.Signals) => void): void {
  let firstAtMs: number | null = null
  const onSignal = (signal: NodeJS.Signals): void => {
    if (firstAtMs === null) {
      firstAtMs = performance.now()
      stop(signal)
    } else if (performance.now() - firstAtMs > echoMs) {
      process.exit(exitStatus.failed)
    }
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
}

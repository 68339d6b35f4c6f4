/** Removes answers that were kept for their idempotency keys and are too old to be given again. */
import { limits } from '../core/limits.ts'
import type { Clock } from './ports/clock.ts'
import type { Log } from './ports/log.ts'
import type { Store } from './ports/store.ts'

/** How often they are looked for. */
const lookEveryMs = 60_000

/** One run: as many as one transaction takes. Returns how many it removed. */
export function removeOldAnswers(hub: { readonly store: Store; readonly clock: Clock }): Promise<number> {
  const keptFromMs = hub.clock.nowMs() - limits.answersKeptSec * 1000
  return hub.store.write((tx) => tx.idempotency.removeBefore(keptFromMs, limits.answersRemovedMax))
}

/** Removes them from now on. Returns the way to stop. */
export function keepAnswersFew(hub: {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
}): () => Promise<void> {
  let work: Promise<void> = Promise.resolve()
  let stopped = false

  async function sweep(): Promise<void> {
    try {
      while (!stopped && (await removeOldAnswers(hub)) === limits.answersRemovedMax);
    } catch (error) {
      hub.log.error('old answers could not be removed', { error })
    }
  }

  const timer = setInterval(() => {
    work = work.then(sweep)
  }, lookEveryMs)
  timer.unref()
  return async () => {
    stopped = true
    clearInterval(timer)
    await work
  }
}

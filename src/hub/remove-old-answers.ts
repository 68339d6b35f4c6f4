/** Removes answers that were kept for their idempotency keys and are too old to be given again. */
import { limits } from '../core/limits.ts'
import { doByOne, type LeasedWork } from './leased-work.ts'
import type { Clock } from './ports/clock.ts'
import type { Log } from './ports/log.ts'
import type { Store } from './ports/store.ts'

interface Hub {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
}

const everyMs = 60_000
/** Transactions in one round: it leaves room for others, and what is left waits for the next. */
const runsInRound = 20

/** One run: as many as one transaction takes. Returns how many it removed. */
export function removeOldAnswers(hub: Pick<Hub, 'store' | 'clock'>): Promise<number> {
  const keptFromMs = hub.clock.nowMs() - limits.answersKeptSec * 1000
  return hub.store.write((tx) => tx.idempotency.removeBefore(keptFromMs, limits.answersRemovedMax))
}

/**
 * Removes them from now on.
 *
 * @param holder names this process among those that share the registry
 */
export function keepAnswersFew(hub: Hub, holder: string): LeasedWork {
  return doByOne(hub, { name: 'old answers', holder }, everyMs, async () => {
    for (let run = 0; run < runsInRound; run += 1) {
      if ((await removeOldAnswers(hub)) < limits.answersRemovedMax) return
    }
  })
}

/** Attempts on their way to the registry: bounded in number and rate, written in batches. */
import { limits } from '../core/limits.ts'
import type { NewAttempt } from './ports/attempts.ts'
import type { Clock } from './ports/clock.ts'
import type { Log } from './ports/log.ts'
import type { Observer } from './ports/observer.ts'
import type { Store } from './ports/store.ts'

/** How long an attempt may wait before it is written. */
const flushAfterMs = 200
/** How many attempts are written as one unit. */
const batchMax = 500
/** How many attempts are written between two looks at how many are kept. */
const pruneEvery = 5_000

export interface AttemptRecorder {
  /** Takes an attempt; it is written soon. Above the rate limit it is counted and dropped. */
  record(attempt: NewAttempt): void
  /** Ends when everything taken so far is written. */
  flush(): Promise<void>
  /** Writes what waits and takes no more. */
  stop(): Promise<void>
}

export function attemptRecorder(hub: {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly observer: Pick<Observer, 'attempt' | 'attemptDropped'>
}): AttemptRecorder {
  const waiting: NewAttempt[] = []
  let dropped = 0
  let second = 0
  let takenThisSecond = 0
  let writtenSincePrune = 0
  let stopped = false
  let timer: NodeJS.Timeout | null = null
  let writing: Promise<void> = Promise.resolve()
  /** Whether a round of writing stands behind the one that is under way. It takes all that waits by then. */
  let isNextOne = false

  function record(attempt: NewAttempt): void {
    hub.observer.attempt(attempt)
    const { listener, outcome, stage, code, address, identityId, sentence } = attempt
    hub.log.debug('attempt', { listener, outcome, stage, code, address, identity: identityId, why: sentence })
    const now = Math.floor(hub.clock.nowMs() / 1000)
    if (now !== second) {
      second = now
      takenThisSecond = 0
    }
    takenThisSecond += 1
    const flooded = takenThisSecond > limits.attemptsPerSecondMax || waiting.length >= limits.attemptsWaitingMax
    if (stopped || flooded) {
      dropped += 1
      hub.observer.attemptDropped()
      return
    }
    waiting.push(attempt)
    timer ??= setTimeout(() => void flush(), flushAfterMs)
  }

  function flush(): Promise<void> {
    if (timer !== null) clearTimeout(timer)
    timer = null
    if (!isNextOne && waiting.length > 0) {
      isNextOne = true
      writing = writing.then(() => {
        isNextOne = false
        return writeWaiting()
      })
    }
    return writing
  }

  /** What waits while the registry is slow goes on waiting here, where it is counted. */
  async function writeWaiting(): Promise<void> {
    for (let left = waiting.length; left > 0; left -= batchMax) await write(waiting.splice(0, Math.min(left, batchMax)))
  }

  async function write(batch: readonly NewAttempt[]): Promise<void> {
    if (dropped > 0) hub.log.warn('attempts were not recorded because there were too many', { count: dropped })
    dropped = 0
    writtenSincePrune += batch.length
    const prune = writtenSincePrune >= pruneEvery
    if (prune) writtenSincePrune = 0
    try {
      await hub.store.write((tx) => tx.attempts.insertAll(batch))
    } catch (error) {
      hub.log.error('attempts could not be recorded together', { count: batch.length, error })
      await writeOneByOne(batch)
    }
    if (prune) await keepNewest()
  }

  /** One attempt that cannot be kept must not take those beside it along. */
  async function writeOneByOne(batch: readonly NewAttempt[]): Promise<void> {
    const outcomes = await Promise.allSettled(
      batch.map((attempt) => hub.store.write((tx) => tx.attempts.insertAll([attempt]))),
    )
    const lost = outcomes.filter(({ status }) => status === 'rejected').length
    if (lost > 0) hub.log.error('attempts could not be recorded', { count: lost })
  }

  async function keepNewest(): Promise<void> {
    try {
      await hub.store.write((tx) => tx.attempts.keepNewest(limits.attemptsKeptMax))
    } catch (error) {
      hub.log.error('old attempts could not be removed', { error })
    }
  }

  return {
    record,
    flush,
    async stop() {
      stopped = true
      await flush()
    },
  }
}

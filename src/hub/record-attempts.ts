/** Attempts on their way to the registry, as a list and as cases: bounded in number and rate, written in batches. */
import { limits } from '../core/limits.ts'
import type { NewAttempt } from './ports/attempts.ts'
import type { Clock } from './ports/clock.ts'
import type { Log } from './ports/log.ts'
import type { Observer } from './ports/observer.ts'
import type { Store, Transaction } from './ports/store.ts'
import { CaseTally, type Tallied } from './tally-cases.ts'

/** How long an attempt may wait before it is written. */
const flushAfterMs = 200
/** How many attempts are written as one unit. */
const batchMax = 500
/** How many attempts are written between two looks at how many are kept. */
const pruneEvery = 5_000

export interface AttemptRecorder {
  /** Takes an attempt; it is written soon. Above the rate limit it is counted in its case and not kept by itself. */
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
  const tally = new CaseTally()
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
    const nowMs = hub.clock.nowMs()
    if (Math.floor(nowMs / 1000) !== second) {
      second = Math.floor(nowMs / 1000)
      takenThisSecond = 0
    }
    takenThisSecond += 1
    const flooded = takenThisSecond > limits.attemptsPerSecondMax || waiting.length >= limits.attemptsWaitingMax
    if (stopped || flooded) {
      dropped += 1
      hub.observer.attemptDropped()
    } else waiting.push(attempt)
    if (stopped) return
    tally.add(attempt, nowMs)
    timer ??= setTimeout(() => void flush(), flushAfterMs)
  }

  function flush(): Promise<void> {
    if (timer !== null) clearTimeout(timer)
    timer = null
    if (!isNextOne && waiting.length + tally.size > 0) {
      isNextOne = true
      writing = writing.then(() => {
        isNextOne = false
        return writeWaiting()
      })
    }
    return writing
  }

  /** What waits while the registry is slow goes on waiting here, where it is counted. Attempts and cases share commits. */
  async function writeWaiting(): Promise<void> {
    tellWhatWasLeftOut()
    await Promise.all([writeAttempts(), writeCases(tally.take())])
    if (writtenSincePrune < pruneEvery) return
    writtenSincePrune = 0
    await keepNewest()
  }

  function tellWhatWasLeftOut(): void {
    const left = tally.takeLeftOut()
    if (left > 0) hub.log.warn('refusals became no cases because there were too many', { count: left })
    if (dropped > 0) hub.log.warn('attempts were not recorded because there were too many', { count: dropped })
    dropped = 0
  }

  async function writeAttempts(): Promise<void> {
    for (let left = waiting.length; left > 0; left -= batchMax) {
      await write('attempts', waiting.splice(0, Math.min(left, batchMax)), (tx, batch) => tx.attempts.insertAll(batch))
    }
  }

  /** Refusals before admissions, since whoever came in meanwhile is in. Units of work are done in the order in which they come. */
  async function writeCases({ refusals, admissions }: Tallied): Promise<void> {
    await Promise.all([
      ...slices(refusals, batchMax).map((some) => write('cases', some, (tx, batch) => tx.cases.addAll(batch))),
      ...admissions.flatMap(({ listener, parties, atMs }) =>
        slices(parties, batchMax).map((some) =>
          write('admissions', some, (tx, batch) => tx.cases.admitted(listener, batch, atMs)),
        ),
      ),
    ])
  }

  async function write<T>(what: string, batch: readonly T[], work: Work<T>): Promise<void> {
    writtenSincePrune += batch.length
    try {
      await hub.store.write((tx) => work(tx, batch))
    } catch (error) {
      hub.log.error('attempts could not be recorded together', { what, count: batch.length, error })
      await writeOneByOne(what, batch, work)
    }
  }

  /** One attempt that cannot be kept must not take those beside it along. */
  async function writeOneByOne<T>(what: string, batch: readonly T[], work: Work<T>): Promise<void> {
    const outcomes = await Promise.allSettled(batch.map((each) => hub.store.write((tx) => work(tx, [each]))))
    const lost = outcomes.filter(({ status }) => status === 'rejected').length
    if (lost > 0) hub.log.error('attempts could not be recorded', { what, count: lost })
  }

  async function keepNewest(): Promise<void> {
    try {
      await hub.store.write(async (tx) => {
        await tx.attempts.keepNewest(limits.attemptsKeptMax)
        await tx.cases.keepNewest(limits.casesOfIdentitiesMax, limits.casesOfStrangersMax)
      })
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

type Work<T> = (tx: Transaction, batch: readonly T[]) => Promise<void>

function slices<T>(all: readonly T[], length: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / length) }, (_, n) => all.slice(n * length, (n + 1) * length))
}

/**
 * One writer for many. Units of work that wait together share one transaction and so one sync of the disk; each runs in a
 * savepoint of its own, so that one that fails leaves its neighbours alone. Nobody hears of success before the COMMIT.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { HubError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import type { StoreHealth } from '../hub/ports/figures.ts'
import type { Observer } from '../hub/ports/observer.ts'

/** The transaction of a database, as groups of units need it. One at a time. */
export interface UnitTransaction {
  /** Waits until no other writer of this registry has one open. */
  begin(): void | Promise<void>
  savepoint(): void | Promise<void>
  release(): void | Promise<void>
  /** Undoes what came after the savepoint. False when the whole transaction is gone. */
  rollbackToSavepoint(): boolean | Promise<boolean>
  /** Fulfilled when everything is on disk. Rejected when nothing is, or with `OutcomeUnknown`. */
  commit(): void | Promise<void>
  /** Ends the transaction if it is open. Never throws: the next `begin` says what is wrong. */
  rollback(): void | Promise<void>
  /** Whether the same group is worth another try now, after it failed and was rolled back. It may wait before it answers. */
  recover(): boolean | Promise<boolean>
}

/** A COMMIT whose answer was lost, and nothing has told since whether it happened. */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown'
}

/** Who hears how transactions end. */
export type CommitObserver = Pick<Observer, 'committed' | 'writesRefused'>

/** After this long without a pause other work gets a turn, in milliseconds; the transaction stays open meanwhile. */
const sliceMs = 5

export class GroupCommit {
  readonly #transaction: UnitTransaction
  readonly #onEnd: (committed: boolean) => void
  readonly #observer: CommitObserver
  #waiting: Unit[] = []
  #running: Promise<void> | null = null
  #closed = false
  #isWriting = true
  /** Units of the open transaction whose statements the database has refused. */
  #refusedUnits = 0

  /** @param onEnd called after each try of a transaction, before the units of it are told */
  constructor(transaction: UnitTransaction, onEnd: (committed: boolean) => void, observer: CommitObserver) {
    this.#transaction = transaction
    this.#onEnd = onEnd
    this.#observer = observer
  }

  /** Runs work as one unit. See `Store.write`. */
  run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) {
      this.#observer.writesRefused(1, 'closed')
      return Promise.reject(new HubError('store-unavailable', 'the registry is closed'))
    }
    if (this.#waiting.length >= limits.transactionsWaitingMax) {
      this.#observer.writesRefused(1, 'queue-full')
      return Promise.reject(new HubError('store-unavailable', 'too many writes wait for the registry'))
    }
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    // The outcome of a unit is kept as what to do once the fate of the transaction is known.
    const attempt = async (): Promise<Verdict> => {
      const value = await work()
      return () => resolve(value)
    }
    this.#waiting.push({ attempt, reject })
    this.#running ??= this.#drain()
    return promise
  }

  health(): StoreHealth {
    return { unitsWaiting: this.#waiting.length, isWriting: this.#isWriting }
  }

  /** Ends when everything accepted is written or refused; nothing is accepted any more. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      // What else arrives in this turn of the event loop joins the group.
      await nextTurn()
      await this.#commitGroup(this.#waiting.splice(0, limits.transactionUnitsMax))
    }
    this.#running = null
  }

  async #commitGroup(units: readonly Unit[]): Promise<void> {
    const startMs = performance.now()
    for (;;) {
      try {
        const verdicts = await this.#tryGroup(units)
        this.#noteCommit(units.length, performance.now() - startMs)
        this.#onEnd(true)
        for (const tell of verdicts) tell()
        return
      } catch (error) {
        await this.#transaction.rollback()
        this.#onEnd(false)
        if (await this.#transaction.recover()) continue
        this.#noteRefusal(units.length)
        const message =
          error instanceof OutcomeUnknown
            ? 'the database gave no answer: what was asked for may be done or not'
            : 'the database refused a transaction'
        const refusal = new HubError('store-unavailable', message, { cause: error })
        for (const unit of units) unit.reject(refusal)
        return
      }
    }
  }

  /** A disk that is full refuses large units and still takes small ones. */
  #noteCommit(units: number, durationMs: number): void {
    this.#isWriting = true
    this.#observer.committed(units, durationMs)
    if (this.#refusedUnits > 0) this.#noteRefusal(this.#refusedUnits)
  }

  #noteRefusal(units: number): void {
    this.#isWriting = false
    this.#observer.writesRefused(units, 'database')
  }

  async #tryGroup(units: readonly Unit[]): Promise<readonly Verdict[]> {
    const verdicts: Verdict[] = []
    this.#refusedUnits = 0
    await this.#transaction.begin()
    let sliceStart = performance.now()
    for (const unit of units) {
      verdicts.push(await this.#runInSavepoint(unit))
      if (performance.now() - sliceStart > sliceMs) {
        await nextTurn()
        sliceStart = performance.now()
      }
    }
    await this.#transaction.commit()
    return verdicts
  }

  async #runInSavepoint(unit: Unit): Promise<Verdict> {
    await this.#transaction.savepoint()
    let verdict: Verdict
    try {
      verdict = await unit.attempt()
    } catch (error) {
      // Statements that the failed work has begun and did not wait for still run, here and not in a neighbour's savepoint.
      await nextTurn()
      if (!(await this.#transaction.rollbackToSavepoint())) throw error
      if (error instanceof HubError && error.code === 'store-unavailable') this.#refusedUnits++
      return () => unit.reject(error)
    }
    await this.#transaction.release()
    return verdict
  }
}

interface Unit {
  attempt(): Promise<Verdict>
  reject(reason: unknown): void
}

/** Tells the one who waits for a unit how it ended. */
type Verdict = () => void

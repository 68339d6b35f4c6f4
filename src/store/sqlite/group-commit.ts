/**
 * One writer for many. Units of work that wait together share one BEGIN IMMEDIATE … COMMIT and so one sync of the disk;
 * each runs in a savepoint of its own, so that one that fails leaves its neighbours alone. Nobody hears of success before the
 * COMMIT.
 */
import type { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { HubError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'

/** After this long without a pause other work gets a turn, in milliseconds; the transaction stays open meanwhile. */
const sliceMs = 5

export class GroupCommit {
  readonly #database: DatabaseSync
  readonly #onEnd: (committed: boolean) => void
  #waiting: Unit[] = []
  #running: Promise<void> | null = null
  #closed = false

  /** @param onEnd called after each transaction, before the units of it are told */
  constructor(database: DatabaseSync, onEnd: (committed: boolean) => void) {
    this.#database = database
    this.#onEnd = onEnd
  }

  /** Runs work as one unit. See `Store.write`. */
  run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new HubError('store-unavailable', 'the registry is closed'))
    if (this.#waiting.length >= limits.transactionsWaitingMax) {
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
    const verdicts: Verdict[] = []
    try {
      this.#database.exec('begin immediate')
      let sliceStart = performance.now()
      for (const unit of units) {
        verdicts.push(await this.#runInSavepoint(unit))
        if (performance.now() - sliceStart > sliceMs) {
          await nextTurn()
          sliceStart = performance.now()
        }
      }
      this.#database.exec('commit')
    } catch (error) {
      // A full or failing disk ends the transaction by itself; any other is ended here.
      this.#rollBack()
      const refusal = new HubError('store-unavailable', 'the database refused a transaction', { cause: error })
      this.#onEnd(false)
      for (const unit of units) unit.reject(refusal)
      return
    }
    this.#onEnd(true)
    for (const tell of verdicts) tell()
  }

  async #runInSavepoint(unit: Unit): Promise<Verdict> {
    this.#database.exec('savepoint unit')
    try {
      const verdict = await unit.attempt()
      this.#database.exec('release unit')
      return verdict
    } catch (error) {
      // Statements that the failed work has begun and did not wait for still run, here and not in a neighbour's savepoint.
      await nextTurn()
      if (!this.#database.isTransaction) throw error
      this.#database.exec('rollback to unit; release unit')
      return () => unit.reject(error)
    }
  }

  #rollBack(): void {
    try {
      if (this.#database.isTransaction) this.#database.exec('rollback')
    } catch {
      // The next BEGIN says what is wrong.
    }
  }
}

interface Unit {
  attempt(): Promise<Verdict>
  reject(reason: unknown): void
}

/** Tells the one who waits for a unit how it ended. */
type Verdict = () => void

/**
 * The one connection of this process that writes, and its transaction.
 *
 * All processes that share a registry write one after the other: each transaction begins by taking one lock, which ends
 * with it. So events and audit entries are numbered in the order of commits, no transaction fails because of another one,
 * and one that was begun early and is still open hides nothing that comes later: what comes later waits for it.
 *
 * A COMMIT whose answer is lost may have happened or not. So every transaction leaves a mark that no other has; once the
 * lock can be had again, the mark that stands there tells.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { assert } from '../../core/errors.ts'
import { OutcomeUnknown, type UnitTransaction } from '../group-commit.ts'
import { type Client, type Database, openClient, type Result, type Runner, statement } from './connections.ts'
import { ConnectionLost, isPassing } from './errors.ts'

/** "HFst", as in the SQLite file: the lock that every writer takes first. */
const writerLock = 0x48467374

export const takeWriterLock: string = `select pg_advisory_xact_lock(${writerLock})`

const pauseMs = 50
const pauseMsMax = 1_000

export class Writer implements UnitTransaction, Runner {
  readonly #database: Database
  /** Names this process among those that share the registry: `[A-Za-z0-9-]`, at most 64. */
  readonly #instance: string
  #client: Client | null = null
  /** Why the open transaction cannot go on; null while it can. */
  #failure: unknown = null
  #mark = ''
  /** A release that goes out together with what comes next. */
  #owesRelease = false
  /** When a transaction failed first since the last that did not. */
  #failingSinceMs: number | null = null
  #pauseMs = pauseMs
  #closed = false

  constructor(database: Database, instance: string) {
    assert(/^[A-Za-z0-9-]{1,64}$/.test(instance), 'an instance is named by 1 to 64 of A-Z, a-z, 0-9 and "-"')
    this.#database = database
    this.#instance = instance
  }

  /** Of the backend that serves this connection; null while there is none. */
  get backend(): number | null {
    const id = this.#client === null ? null : Reflect.get(this.#client, 'processID')
    return typeof id === 'number' ? id : null
  }

  /** A statement inside the transaction. */
  async run(text: string, values: readonly unknown[]): Promise<Result> {
    return this.#guarded((client) => client.query<Record<string, unknown>>(statement(text, values)))
  }

  async begin(): Promise<void> {
    this.#failure = null
    this.#owesRelease = false
    this.#mark = randomBytes(16).toString('hex')
    try {
      this.#client ??= await this.#open()
    } catch (error) {
      this.#failure = error
      throw error
    }
    await this.#simple(`begin; ${takeWriterLock}; ${this.#writeMark()}`)
  }

  async savepoint(): Promise<void> {
    await this.#simple(`${this.#release()}savepoint unit`)
  }

  release(): void {
    this.#owesRelease = true
  }

  async rollbackToSavepoint(): Promise<boolean> {
    if (this.#failure !== null) return false
    await this.#simple('rollback to unit; release unit')
    return true
  }

  async commit(): Promise<void> {
    let results: unknown
    try {
      results = await this.#simple(`${this.#release()}commit`)
    } catch (error) {
      if (!(await this.#cameThrough(error))) throw error
    }
    // A transaction that an error has aborted ends with ROLLBACK, and that is no error to the server.
    const last: unknown = Array.isArray(results) ? results.at(-1) : results
    const command: unknown = typeof last === 'object' && last !== null ? Reflect.get(last, 'command') : 'COMMIT'
    if (command !== 'COMMIT') throw new Error('the transaction had been aborted')
    this.#failingSinceMs = null
    this.#pauseMs = pauseMs
  }

  async rollback(): Promise<void> {
    if (this.#client === null || this.#failure instanceof ConnectionLost) return this.#drop()
    try {
      await this.#client.query('rollback')
    } catch {
      this.#drop()
    }
  }

  async recover(): Promise<boolean> {
    const nowMs = performance.now()
    this.#failingSinceMs ??= nowMs
    const isPast = this.#failure === null || this.#failure instanceof OutcomeUnknown || !isPassing(this.#failure)
    if (isPast || this.#closed) return false
    if (nowMs - this.#failingSinceMs + this.#pauseMs > this.#database.limits.databaseRetryMs) return false
    await delay(this.#pauseMs)
    this.#pauseMs = Math.min(this.#pauseMs * 2, pauseMsMax)
    return true
  }

  async close(): Promise<void> {
    this.#closed = true
    const client = this.#client
    this.#client = null
    await client?.end().catch(() => {})
  }

  #open(): Promise<Client> {
    return openClient(this.#database, (client, cause) => {
      if (this.#client !== client) return
      this.#failure ??= new ConnectionLost('the connection to the database was lost', { cause })
      this.#client = null
    })
  }

  #drop(): void {
    const client = this.#client
    this.#client = null
    // Nothing is waited for: the server notices by itself.
    void client?.end().catch(() => {})
  }

  #release(): string {
    const text = this.#owesRelease ? 'release unit; ' : ''
    this.#owesRelease = false
    return text
  }

  #writeMark(): string {
    const values = `('${this.#instance}', '${this.#mark}', (extract(epoch from clock_timestamp()) * 1000)::bigint)`
    return `insert into commit_marks (instance, mark, at_ms) values ${values}
      on conflict (instance) do update set mark = excluded.mark, at_ms = excluded.at_ms`
  }

  /** Statements of our own in one message, without parameters. */
  #simple(text: string): Promise<unknown> {
    return this.#guarded((client) => client.query(text))
  }

  async #guarded<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = this.#client
    if (client === null) throw this.#failure ?? new ConnectionLost('there is no connection to the database')
    try {
      return await work(client)
    } catch (error) {
      // An error that passes has ended the transaction, also where its savepoint could be gone back to.
      if (isPassing(error)) this.#failure ??= error
      throw error
    }
  }

  /** Whether the transaction whose COMMIT had no answer is on the server's disk. */
  async #cameThrough(error: unknown): Promise<boolean> {
    if (!isPassing(error)) return false
    const giveUpAt = performance.now() + this.#database.limits.databaseRetryMs
    this.#drop()
    for (let pause = pauseMs; ; pause = Math.min(pause * 2, pauseMsMax)) {
      try {
        return await this.#markStands()
      } catch (unanswered) {
        if (!isPassing(unanswered) || performance.now() + pause > giveUpAt) {
          // Not to be tried again: it may have happened.
          this.#failure = new OutcomeUnknown('it is not known whether a transaction was committed', {
            cause: unanswered,
          })
          throw this.#failure
        }
        await delay(pause)
      }
    }
  }

  async #markStands(): Promise<boolean> {
    const client = await openClient(this.#database, () => {})
    try {
      // The lock is free only when the old connection's transaction has ended, this way or that.
      await client.query(`begin; ${takeWriterLock}`)
      const { rows } = await client.query('select mark from commit_marks where instance = $1', [this.#instance])
      await client.query('commit')
      return rows[0]?.mark === this.#mark
    } finally {
      void client.end().catch(() => {})
    }
  }
}

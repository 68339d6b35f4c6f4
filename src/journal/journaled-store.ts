/**
 * A registry whose acts are acknowledged only when the journal holds them: commit, then journal, then acknowledgement. What
 * was committed and is not journalled yet, because the hub or a disk failed in between, is copied first thing later.
 */
import { HubError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import type { HubEvent } from '../hub/ports/events.ts'
import type { Journal, JournalEntry } from '../hub/ports/journal.ts'
import type { Log } from '../hub/ports/log.ts'
import type { Store, Transaction } from '../hub/ports/store.ts'

/** How long to wait before a journal that failed is tried again although nobody asks. */
const retryMs = 1_000

export interface JournaledStore extends Store {
  /** False after a failure, until the journal holds everything again. */
  isJournaling(): boolean
  /** Fulfilled when the journal holds everything that was committed before the call. Rejected as `write` is. */
  settled(): Promise<void>
}

interface Parts {
  readonly journal: Journal
  /** The number of the last event that the journal holds. */
  readonly position: number
  /** The entries of events, with what the registry knows about them. */
  describe(events: readonly HubEvent[]): Promise<readonly JournalEntry[]>
  readonly log: Log
}

/**
 * `write` fails with `journal-unavailable` when its work is committed and the journal cannot take it. The work has its
 * effect then: asking for it again changes nothing twice and is acknowledged once the journal holds it.
 *
 * Closing it closes the journal too.
 */
export function journaled(store: Store, parts: Parts): JournaledStore {
  const copier = new Copier(store, parts)
  const underWay = new Set<Promise<unknown>>()
  let closing: Promise<void> | null = null

  async function write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    let isAccountable = false
    const value = await store.write((tx) => {
      isAccountable = false
      return work(noticing(tx, () => (isAccountable = true)))
    })
    // Also where nothing was changed: "it is revoked already" must not be heard before the revocation is journalled.
    if (isAccountable) await copier.settled()
    return value
  }

  function tracked<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    if (closing !== null) return Promise.reject(new HubError('store-unavailable', 'the registry is closed'))
    const written = write(work)
    underWay.add(written)
    const done = (): boolean => underWay.delete(written)
    written.then(done, done)
    return written
  }

  async function close(): Promise<void> {
    await Promise.allSettled(underWay)
    await copier.stop()
    await store.close()
    await parts.journal.close()
  }

  return {
    ...store,
    write: tracked,
    isJournaling: () => !copier.hasFailed,
    settled: () => copier.settled(),
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

/** What gives and takes no access: diagnosis and the order of work go on when the journal does not. */
const unaccountable: ReadonlySet<string | symbol> = new Set(['attempts', 'leases'] satisfies (keyof Transaction)[])

/** The transaction, with a word when the work turns to a table that an acknowledgement could be about. */
function noticing(tx: Transaction, onUse: () => void): Transaction {
  return new Proxy(tx, {
    get(target, name) {
      if (!unaccountable.has(name)) onUse()
      return Reflect.get(target, name)
    },
  })
}

/** The one that writes the journal: it copies events in their order, for everybody who waits at once. */
class Copier {
  readonly #store: Store
  readonly #parts: Parts
  readonly #unfollow: () => void
  #position: number
  #waiting: PromiseWithResolvers<void>[] = []
  #running: Promise<void> | null = null
  #retry: NodeJS.Timeout | null = null
  #stopped = false
  #isSure = false
  hasFailed = false

  constructor(store: Store, parts: Parts) {
    this.#store = store
    this.#parts = parts
    this.#position = parts.position
    // What other processes have committed is copied too, although nobody here waits for it.
    this.#unfollow = store.onEvents(() => void this.settled().catch(() => {}))
  }

  settled(): Promise<void> {
    const waiter = Promise.withResolvers<void>()
    this.#waiting.push(waiter)
    this.#running ??= this.#run()
    return waiter.promise
  }

  /** Copies what is there and ends. */
  async stop(): Promise<void> {
    await this.settled().catch(() => {})
    this.#stopped = true
    this.#unfollow()
    if (this.#retry !== null) clearTimeout(this.#retry)
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const waiting = this.#waiting
      this.#waiting = []
      try {
        await this.#copy()
        this.#noteSuccess()
        for (const { resolve } of waiting) resolve()
      } catch (cause) {
        const refusal =
          cause instanceof HubError && cause.code === 'journal-unavailable'
            ? cause
            : new HubError('journal-unavailable', 'what was done cannot be copied into the journal', { cause })
        this.#noteFailure(refusal)
        for (const { reject } of waiting) reject(refusal)
      }
    }
    this.#running = null
  }

  async #copy(): Promise<void> {
    for (;;) {
      const events = await this.#store.events.after(this.#position, limits.journalGroupMax)
      // The first time also when there is nothing new: what the journal holds must be on disk before anybody relies on it.
      if (events.length === 0 && this.#isSure) return
      await this.#parts.journal.append(await this.#parts.describe(events))
      this.#isSure = true
      this.#position = events.at(-1)?.number ?? this.#position
      if (events.length < limits.journalGroupMax) return
    }
  }

  #noteSuccess(): void {
    if (this.hasFailed) this.#parts.log.info('the journal is written again')
    this.hasFailed = false
  }

  #noteFailure(error: HubError): void {
    if (!this.hasFailed) this.#parts.log.error('the journal cannot be written', { error })
    this.hasFailed = true
    if (this.#stopped || this.#retry !== null) return
    this.#retry = setTimeout(() => {
      this.#retry = null
      void this.settled().catch(() => {})
    }, retryMs)
    this.#retry.unref()
  }
}

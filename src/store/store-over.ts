/** The registry over a database that reads, writes and has a transaction: what is the same for every adapter. */
import { assert, CodingError } from '../core/errors.ts'
import type { Store, Transaction } from '../hub/ports/store.ts'
import { type CommitObserver, GroupCommit, type UnitTransaction } from './group-commit.ts'
import type { Access } from './schema.ts'
import { type LogEnds, unreadEnds } from './tables/log-ends.ts'
import { readersOver, type WriterParts, writersOver } from './tables.ts'

export interface StoreParts {
  /** Reads what is committed. */
  readonly reading: Access
  /** Reads and writes inside the transaction. */
  readonly writing: Access
  readonly transaction: UnitTransaction
  readonly writers: Omit<WriterParts, 'onEvent' | 'ends'>
  readonly observer: CommitObserver
  /** Closes the connections; nothing uses them any more. */
  close(): void | Promise<void>
}

/** A store, and the way to tell its listeners of events that another process has committed. */
export interface OpenStore {
  readonly store: Store
  tellListeners(): void
}

export function storeOver(parts: StoreParts): OpenStore {
  const listeners = new Set<() => void>()
  /** Whether a unit that has succeeded in the open transaction appended events. */
  let eventsInGroup = false
  /** What the units of the open transaction that have succeeded left behind. */
  let ends: Readonly<LogEnds> = unreadEnds
  let closing: Promise<void> | null = null

  function tellListeners(): void {
    // Each in a microtask of its own: one that throws stops neither the others nor the writer.
    for (const listener of listeners) queueMicrotask(listener)
  }

  const group = new GroupCommit(
    parts.transaction,
    (committed) => {
      const appended = eventsInGroup
      eventsInGroup = false
      ends = unreadEnds
      if (committed && appended) tellListeners()
    },
    parts.observer,
  )

  function write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return group.run(async () => {
      let ended = false
      let appended = false
      const ownEnds = { ...ends }
      const access: Access = () => {
        assert(!ended, 'a transaction is used after its end')
        return parts.writing()
      }
      const onEvent = (): void => {
        appended = true
      }
      try {
        const value = await work(writersOver(access, { ...parts.writers, ends: ownEnds, onEvent }))
        eventsInGroup ||= appended
        ends = ownEnds
        return value
      } finally {
        ended = true
      }
    })
  }

  function onEvents(listener: () => void): () => void {
    // A wrapper, so that one function may listen twice and stop once.
    const registered = () => listener()
    listeners.add(registered)
    return () => listeners.delete(registered)
  }

  async function close(): Promise<void> {
    await group.close()
    await parts.close()
  }

  const store: Store = {
    ...readersOver(parts.reading),
    write,
    onEvents,
    health: () => group.health(),
    close: () => {
      closing ??= close()
      return closing
    },
  }
  return { store, tellListeners }
}

/** For a process that only reads: a write that is asked of it is a mistake of ours. */
export const noTransaction: UnitTransaction = {
  begin() {
    throw new CodingError('a process that only reads was asked to write')
  },
  savepoint() {},
  release() {},
  rollbackToSavepoint: () => false,
  commit() {},
  rollback() {},
  recover: () => false,
}

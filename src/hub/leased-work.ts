/**
 * Work that comes round again and that one process of several does: who holds the lease does it, the others wait until the
 * lease is over. A process that dies is followed by another within `leaseRounds` rounds.
 */
import type { Log } from './ports/log.ts'
import type { Store } from './ports/store.ts'

/** How many rounds a lease outlives: one that is late must not lose it. */
const leaseRounds = 3

export interface LeasedWork {
  /** Does the work now if this process holds or gets the lease. Fulfilled with whether it did. Never rejected. */
  round(): Promise<boolean>
  /** Waits for a round that is under way and gives the lease back. */
  stop(): Promise<void>
}

/**
 * @param lease its name, and who this process is among those that share the registry
 * @param everyMs time from round to round
 * @param work must bear to be done by two processes at once for a moment: a process that was suspended may still believe
 *   that it holds the lease
 */
export function doByOne(
  hub: { readonly store: Store; readonly log: Log },
  lease: { readonly name: string; readonly holder: string },
  everyMs: number,
  work: () => Promise<void>,
): LeasedWork {
  const { name, holder } = lease
  let running: Promise<boolean> | null = null

  async function runRound(): Promise<boolean> {
    try {
      const isOurs = await hub.store.write((tx) => tx.leases.acquire(name, holder, everyMs * leaseRounds))
      if (isOurs) await work()
      return isOurs
    } catch (error) {
      hub.log.error('work that comes round failed', { work: name, error })
      return false
    }
  }

  function round(): Promise<boolean> {
    running ??= runRound().finally(() => {
      running = null
    })
    return running
  }

  const timer = setInterval(() => void round(), everyMs)
  timer.unref()
  return {
    round,
    async stop() {
      clearInterval(timer)
      await running
      try {
        await hub.store.write((tx) => tx.leases.release(name, holder))
      } catch (error) {
        hub.log.warn('a lease could not be given back; it ends by itself', { work: name, error })
      }
    },
  }
}

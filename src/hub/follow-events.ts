/** Reading events in the order of their commits, each exactly once. */
import type { HubEvent } from './ports/events.ts'
import type { Log } from './ports/log.ts'
import type { Store } from './ports/store.ts'

export interface EventFollower {
  /** The number of the last event that was handed over, or of the one before the first. */
  position(): number
  /** Reads on now, whether anybody has told of new events or not. */
  catchUp(): Promise<void>
  stop(): void
}

const batchMax = 500
/** How long to wait before a failed read is tried again. */
const retryMs = 200

/**
 * Hands every event numbered above `from` to `handle`, in order. Handling is synchronous: what it starts may go on, but the
 * next event does not wait for it.
 */
export function followEvents(
  hub: { readonly store: Store; readonly log: Log },
  from: number,
  handle: (event: HubEvent) => void,
): EventFollower {
  let position = from
  let running = false
  let again = false
  let stopped = false

  async function drain(): Promise<void> {
    if (stopped) return
    if (running) {
      again = true
      return
    }
    running = true
    do {
      again = false
      try {
        await readOn()
      } catch (error) {
        hub.log.error('events could not be read', { error })
        setTimeout(() => void drain(), retryMs).unref()
      }
    } while (again && !stopped)
    running = false
  }

  async function readOn(): Promise<void> {
    for (;;) {
      const events = await hub.store.events.after(position, batchMax)
      for (const event of events) {
        if (stopped) return
        position = event.number
        try {
          handle(event)
        } catch (error) {
          hub.log.error('an event could not be handled', { number: event.number, type: event.type, error })
        }
      }
      if (events.length < batchMax) return
    }
  }

  const unlisten = hub.store.onEvents(() => void drain())
  void drain()
  return {
    position: () => position,
    catchUp: drain,
    stop() {
      stopped = true
      unlisten()
    },
  }
}

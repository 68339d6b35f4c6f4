/** Hearing of events that other processes have committed (LISTEN, NOTIFY). */
import { type Client, type Database, openClient } from './connections.ts'
import { eventChannel } from './migrate.ts'

const pauseMs = 100
const pauseMsMax = 5_000
/** How often a silent connection is asked whether it still lives. */
const askEveryMs = 15_000

export interface Notifications {
  stop(): Promise<void>
}

/**
 * Calls back for each commit with events by another process, and whenever some may have been missed: once the connection
 * stands, and again after it was lost.
 *
 * @param isOwn whether a backend is that of this process's writer, which tells of its commits itself
 */
export function listenForEvents(
  database: Database,
  isOwn: (backend: number) => boolean,
  onEvents: () => void,
): Notifications {
  let client: Client | null = null
  let stopped = false
  let pause = pauseMs
  let timer: NodeJS.Timeout | undefined

  async function open(): Promise<void> {
    if (stopped) return
    let lost = false
    const onLost = (): void => {
      if (lost) return
      lost = true
      client = null
      again()
    }
    let opened: Client | null = null
    try {
      opened = await openClient(database, onLost)
      opened.on('notification', ({ processId }) => {
        if (!stopped && !isOwn(processId)) onEvents()
      })
      if (!stopped) await opened.query(`listen ${eventChannel}`)
    } catch {
      end(opened)
      onLost()
      return
    }
    // Who stops meanwhile knows of no connection yet.
    if (stopped) return end(opened)
    client = opened
    pause = pauseMs
    onEvents()
    ask(opened, onLost)
  }

  function again(): void {
    clearTimeout(timer)
    if (stopped) return
    timer = setTimeout(() => void open(), pause)
    timer.unref()
    pause = Math.min(pause * 2, pauseMsMax)
  }

  /** A connection that a firewall has forgotten looks alive until something is sent. */
  function ask(opened: Client, onLost: () => void): void {
    timer = setTimeout(async () => {
      try {
        await opened.query('select 1')
        if (client === opened) ask(opened, onLost)
      } catch {
        end(opened)
        onLost()
      }
    }, askEveryMs)
    timer.unref()
  }

  /** Nothing is waited for: a server that stands still does not say goodbye. */
  function end(opened: Client | null): void {
    void opened?.end().catch(() => {})
  }

  void open()
  return {
    async stop() {
      stopped = true
      clearTimeout(timer)
      await client?.end().catch(() => {})
    },
  }
}

/** Reading what is committed, from a pool of connections. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Client, type DatabaseLimits, type Pool, type Result, type Runner, statement } from './connections.ts'
import { isPassing } from './errors.ts'

/** Pause before another try; it doubles. */
const pauseMs = 50

/**
 * Runs statements that only read. One whose connection is lost is asked again on another, for as long as a write would be
 * tried again.
 */
export function readerOver(pool: Pool, limits: DatabaseLimits): Runner {
  return {
    async run(text, values) {
      const giveUpAt = performance.now() + limits.databaseRetryMs
      for (let pause = pauseMs; ; pause *= 2) {
        try {
          return await runOnce(pool, text, values)
        } catch (error) {
          if (pool.ending || !isPassing(error) || performance.now() + pause > giveUpAt) throw error
          await delay(pause)
        }
      }
    },
  }
}

async function runOnce(pool: Pool, text: string, values: readonly unknown[]): Promise<Result> {
  const client = await pool.connect()
  let failed = false
  try {
    return await (client as Client).query<Record<string, unknown>>(statement(text, values))
  } catch (error) {
    failed = isPassing(error)
    throw error
  } finally {
    client.release(failed)
  }
}

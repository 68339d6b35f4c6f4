/** Reading what is committed, from a pool of connections. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Client, type DatabaseLimits, type Pool, type Result, type Runner, statement } from './connections.ts'
import { isPassing } from './errors.ts'

/** Pause before another try; it doubles. */
const pauseMs = 50

/**
 * Runs statements that only read. One whose connection is lost is asked again on another, for as long as a write would be
 * tried again. That time begins with the first failure: while the server stays away, whoever comes later is told at the second
 * try, so that a device need not wait for an answer that everybody knows; and at the first where the server stands still.
 */
export function readerOver(pool: Pool, limits: DatabaseLimits): Runner {
  let failingSinceMs: number | null = null
  return {
    async run(text, values) {
      const askedAtMs = performance.now()
      for (let [tries, pause] = [1, pauseMs]; ; tries++, pause *= 2) {
        try {
          const result = await runOnce(pool, text, values)
          failingSinceMs = null
          return result
        } catch (error) {
          if (pool.ending || !isPassing(error)) throw error
          failingSinceMs ??= askedAtMs
          const nowMs = performance.now()
          const isTooLate = nowMs + pause > failingSinceMs + limits.databaseRetryMs
          if (isTooLate && (tries > 1 || nowMs - askedAtMs >= limits.databaseConnectMs)) throw error
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

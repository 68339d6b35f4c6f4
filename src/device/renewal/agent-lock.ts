/** One agent at a time for a folder. The kernel frees the lock when its process is gone, however it went. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { HubError, quote } from '../../core/errors.ts'

export const lockFile = '.agent.lock'

/**
 * @returns the way to release it
 * @throws HubError `agent-running`, `store-unwritable`
 */
export function lockAgent(folder: string): () => void {
  let database: DatabaseSync | null = null
  try {
    database = new DatabaseSync(join(folder, lockFile), { timeout: 0 })
    // Nothing is ever written: a full disk keeps nobody from the lock.
    database.exec('pragma journal_mode = memory; begin exclusive')
  } catch (error) {
    database?.close()
    const isHeld = error instanceof Error && [5, 6].includes(Number(Reflect.get(error, 'errcode')) & 0xff)
    if (isHeld) throw new HubError('agent-running', `another agent looks after ${quote(folder)}`, { cause: error })
    throw new HubError('store-unwritable', `the lock of ${quote(folder)} cannot be taken`, { cause: error })
  }
  const held = database
  return () => held.close()
}

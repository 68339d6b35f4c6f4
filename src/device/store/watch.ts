/** Notices that another credential or other roots have become current, whichever process did it. */
import { type FSWatcher, statSync, watch as watchFolder } from 'node:fs'
import { deviceLimits } from '../limits.ts'
import type { Places } from './places.ts'
import { slotAt } from './slots.ts'

/**
 * @param onChange called after a change, once for several that come together
 * @returns ends it; the process is kept running by nothing here
 */
export function watchStore(places: Places, onChange: () => void): () => void {
  let seen = signature(places)
  let folders: readonly FSWatcher[] = []
  const look = (): void => {
    const now = signature(places)
    if (now === seen) return
    seen = now
    rearm()
    onChange()
  }
  const rearm = (): void => {
    for (const each of folders) each.close()
    const slot = slotAt(places, 'current')
    folders = [places.path, ...(slot === null ? [] : [`${places.path}/${slot}`])].flatMap((path) => watched(path, look))
  }
  rearm()
  // The system's word may fail to come, as on a network file system, or where its watches are used up.
  const timer = setInterval(look, deviceLimits.storeLookMs).unref()
  return () => {
    clearInterval(timer)
    for (const each of folders) each.close()
    folders = []
  }
}

function watched(path: string, look: () => void): readonly FSWatcher[] {
  try {
    return [watchFolder(path, { persistent: false }, look).on('error', () => {})]
  } catch {
    return []
  }
}

/** What is the same as long as nothing has changed. A number of a slot may come again, its file does not. */
function signature(places: Places): string {
  const slot = slotAt(places, 'current')
  const files = [places.certificate, places.ca].map((path) => {
    const stats = statSync(path, { throwIfNoEntry: false, bigint: true })
    return stats === undefined ? '' : `${stats.ino} ${stats.mtimeNs}`
  })
  return [slot ?? '', ...files].join('|')
}

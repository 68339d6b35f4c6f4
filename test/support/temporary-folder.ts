import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder that is removed when the test ends. */
export function temporaryFolder(context: { after(step: () => void): unknown }): string {
  return folderBelow(tmpdir(), context)
}

/** The same in memory, where this machine has room there: for tests that wait for a disk thousands of times and are about something else. */
export function memoryFolder(context: { after(step: () => void): unknown }): string {
  return folderBelow(hasRoom(sharedMemory) ? sharedMemory : tmpdir(), context)
}

const sharedMemory = '/dev/shm'

/** Containers often have 64 MiB of it. */
const roomBytesMin = 1024 * 1024 * 1024

function hasRoom(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(path)
    return bavail * bsize >= roomBytesMin
  } catch {
    return false
  }
}

function folderBelow(parent: string, context: { after(step: () => void): unknown }): string {
  const path = mkdtempSync(join(parent, 'hf-'))
  context.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/**
 * Holds a lock, says so, and keeps it until it is killed.
 *
 *     node file-lock-holder.ts <path>
 */
import { writeSync } from 'node:fs'
import { withFileLock } from '../../src/disk/file-lock.ts'

withFileLock(process.argv[2] ?? '', () => {
  writeSync(1, 'held\n')
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
})

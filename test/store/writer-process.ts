/** Holds the lock of a data directory and writes until it is killed, printing each id once it is acknowledged. */
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { lockDataDirectory } from '../../src/store/sqlite/data-lock.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { fakeIdentity } from '../contract/store-fakes.ts'

const directory = process.argv[2] ?? ''
lockDataDirectory(join(directory, 'lock.db'))
const store = await openSqliteStore({ path: join(directory, 'hub.db'), clock: { nowMs: () => 1 } })

async function writeForever(lane: number): Promise<void> {
  for (let n = 0; ; n++) {
    const id = `lane-${lane}-${n}`
    await store.write((tx) => tx.identities.insert(fakeIdentity(id)))
    writeSync(1, `${id}\n`)
  }
}
await Promise.all([0, 1, 2, 3].map(writeForever))

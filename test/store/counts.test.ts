/** Counting in steps gives the same as counting at once, wherever the steps fall. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseIdentityId } from '../../src/core/identity/id.ts'
import { openWriter, queriesOver } from '../../src/store/sqlite/connection.ts'
import { migrate } from '../../src/store/sqlite/migrate.ts'
import { countReader } from '../../src/store/tables/counts.ts'
import { credentials } from '../../src/store/tables/credentials.ts'
import { identities } from '../../src/store/tables/identities.ts'
import { fakeCredential, fakeIdentity } from '../contract/store-fakes.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

test('steps of any length count every row once, also where many end in the same second', async (t) => {
  const path = join(temporaryFolder(t), 'hub.db')
  const database = openWriter(path)
  t.after(() => database.close())
  await migrate(database, path)
  const queries = queriesOver(database)
  const access = () => queries
  const ids = Array.from({ length: 23 }, (_, i) => fakeIdentity(`pump-${i}`, { state: 'active' }))
  await identities(access).insertAll(ids)
  const ends = [5, 5, 5, 5, 5, 5, 5, 6, 7, 7, 9, 9, 9, 9, 9, 9, 9, 9, 9, 12, 13, 14, 15]
  for (const [n, notAfterSec] of ends.entries()) {
    await credentials(access).insert(fakeCredential(n, { identityId: parseIdentityId(`pump-${n}`), notAfterSec }))
  }
  for (const stepRows of [1, 2, 3, 7, 9, 22, 23, 24, 1_000]) {
    const counts = countReader(access, stepRows)
    assert.equal(await counts.identitiesIn('active'), 23, `steps of ${stepRows}`)
    assert.equal(await counts.identitiesIn('retired'), 0)
    for (const [fromSec, beforeSec] of [
      [0, 100],
      [5, 6],
      [6, 9],
      [9, 10],
      [9, 15],
      [16, 100],
    ] as const) {
      const expected = ends.filter((end) => end >= fromSec && end < beforeSec).length
      const query = { authorityId: 'issuing-1', state: 'pending', fromSec, beforeSec } as const
      assert.equal(await counts.credentialsEnding(query), expected, `steps of ${stepRows} from ${fromSec}`)
    }
  }
})

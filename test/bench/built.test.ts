import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findBuilt } from '../../bench/peers/built.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

test('of what was built the newest of the series is taken, by number', (context) => {
  const env = { XDG_CACHE_HOME: temporaryFolder(context) }
  const cache = join(env.XDG_CACHE_HOME, 'handfast-bench')
  assert.equal(findBuilt('openssl', '3.5.', env), null)
  for (const name of [
    'openssl-3.5.9',
    'openssl-3.5.10',
    'openssl-3.6.0',
    'openssl-3.5.x',
    'building.abc',
    'cfssl-1.6.5',
  ]) {
    mkdirSync(join(cache, name), { recursive: true })
  }
  assert.deepEqual(findBuilt('openssl', '3.5.', env), { version: '3.5.10', folder: join(cache, 'openssl-3.5.10') })
  assert.equal(findBuilt('openssl', '', env)?.version, '3.6.0')
  assert.equal(findBuilt('openssl', '3.4.', env), null)
})

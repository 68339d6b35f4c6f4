/** Where commands that work on a registry itself find it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { placeOf } from '../../src/cli/place-options.ts'

test('secrets are read from the environment once and do not stay in it', (t) => {
  const given = {
    HANDFAST_PASSPHRASE: 'correct horse',
    HANDFAST_DATABASE_URL: 'postgresql://handfast:battery@localhost/handfast',
  }
  t.after(() => {
    for (const name of Object.keys(given)) delete process.env[name]
  })
  Object.assign(process.env, given)
  const config = placeOf({ data: 'data' })
  assert.ok(config.passphrase !== null && 'value' in config.passphrase)
  assert.ok(config.databaseUrl !== null && 'value' in config.databaseUrl)
  for (const name of Object.keys(given)) assert.equal(process.env[name], undefined, name)
})

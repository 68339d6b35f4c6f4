/** The files of a broker of the operator's: what is wrong with one is said with its name. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readBrokerFiles } from '../../src/compose/broker-files.ts'
import type { BrokerSettings } from '../../src/core/upstream/broker-settings.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

test('files of the broker that hold something else are refused, and a login is read', (t) => {
  const folder = temporaryFolder(t)
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const read = (settings: Partial<BrokerSettings>) =>
    readBrokerFiles({ loginFile: null, caFile: null, tls: null, ...settings } as BrokerSettings)
  const unusable = { code: 'broker-settings-unusable' }
  assert.throws(() => read({ loginFile: join(folder, 'absent') }), unusable)
  assert.throws(() => read({ loginFile: file('one', 'hub\nsecret\nmore\n') }), unusable)
  assert.throws(() => read({ caFile: file('ca.pem', 'no certificate') }), unusable)
  assert.equal(read({ loginFile: file('two', 'hub\nsecret\n') }).login?.username, 'hub')
})

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Act, acts } from '../../../src/core/authorisation/act.ts'

test('docs/roles.md says of every act who may, as the code does', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/roles.md'), 'utf8')
  const rows = [...page.matchAll(/^\| `([a-z]+\.[a-z]+)` \| [^|]+ \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)]
  const written = rows.map(([, act, ...cells]) => [act, ...cells])
  const expected = Object.entries(acts).map(([act, { subject, roles }]) => {
    const own = { identity: 'own', access: 'requesters of its groups', hub: 'yes' }[subject]
    const requester = roles.includes('registering') ? 'own, with `--register`' : roles.includes('requester') ? own : '-'
    return [act as Act, roles.includes('owner') ? own : '-', requester, roles.includes('auditor') ? 'yes' : '-']
  })
  assert.deepEqual(written, expected)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gateRoleSql, isRoleName, tablesOfGates } from '../../src/store/postgres/gate-role.ts'

test('a role is named by what SQL takes for a name and for nothing else', () => {
  for (const name of ['handfast_gate', '_', 'g', 'a'.repeat(63), 'select']) assert.equal(isRoleName(name), true, name)
  const refused = ['', 'Gate', '1gate', 'a b', 'a"b', "a'b", 'a;b', 'pg_gate', 'public', 'none', 'user', 'a'.repeat(64)]
  for (const name of refused) assert.equal(isRoleName(name), false, name)
})

test('a gate reads the hashes of passwords only where it is said that it takes passwords', () => {
  assert.deepEqual(
    tablesOfGates(true).filter((table) => !tablesOfGates(false).includes(table)),
    ['passwords'],
  )
  for (const withPasswords of [false, true]) {
    const sql = gateRoleSql({ role: 'g', withPasswords, connectionsMax: 1 })
    assert.equal(sql.includes(`'passwords'`), withPasswords)
  }
})

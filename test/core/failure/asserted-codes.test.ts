/** Every failure is looked for by a test: a code that nothing brings about, or that nobody checks, is no diagnosis. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { failureNames } from '../../../src/core/failure/catalogue.ts'
import { assertedCodes } from './asserted-codes.ts'

const tests = join(import.meta.dirname, '../..')

/** Tables that a test beside them goes through row by row. */
const tables = ['doctor/log/documented-lines.ts', 'conformance/failures/rows/certificates.ts']

test('each code of the catalogue is asserted by a test', () => {
  const files = [
    ...globSync('**/*.test.ts', { cwd: tests }).filter((file) => !file.startsWith(join('core', 'failure'))),
    ...tables,
  ]
  assert.ok(files.length > 300, 'the tests are where they are looked for')
  const asserted = new Set(files.flatMap((file) => [...assertedCodes(readFileSync(join(tests, file), 'utf8'))]))
  const missing = failureNames.filter((name) => !asserted.has(name))
  assert.deepEqual(missing, [], 'write a test that makes it happen and asserts its code')
})

suite('a code counts as asserted', () => {
  const counts = (source: string) => [...assertedCodes(source)]

  test('as argument, property, pattern or cell of a row', () => {
    for (const source of [
      "assert.equal(codeOf(judgement), 'token-used')",
      "await assert.rejects(again(), { code: 'token-used' })",
      'assert.match(stderr, /^ {2}code: HF-7103 token-used$/m)',
      'assert.match(stderr, /HF-7103/)',
      "await refusedWith(files, 'token-used')",
      "const rows = [['with its token', () => again(), 'token-used']]",
      "assert.deepEqual(codes, ['token-used'])",
    ]) {
      assert.deepEqual(counts(source), ['token-used'], source)
    }
  })

  test('not where it is named in a list or a comment, or only brought about', () => {
    for (const source of [
      "const names = ['token-used', 'token-expired'] as const",
      "// assert.equal(code, 'token-used')",
      '/** `token-used` */ const a = 1',
      "throw new HubError('token-used', 'again')",
      "gate.closeIdentity('pump-7', 'token-used')",
      "test('token-used', () => {})",
      "const code = 'token-used'",
      "assert.equal(code, 'token-used-up')",
    ]) {
      assert.deepEqual(counts(source), [], source)
    }
  })
})

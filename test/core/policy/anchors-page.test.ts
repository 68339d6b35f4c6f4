/** The example of the page about trust anchors: a policy that lets its devices in, and is warned of by nobody. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readPolicy } from '../../../src/core/policy/file/parse.ts'
import { lintPolicy } from '../../../src/core/policy/lint/lint.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/trust-anchors.md'), 'utf8')

test('the policy of the page about trust anchors reads, and leaves nothing to warn of', () => {
  const [block = ''] = /^ {4}identify:\n(?: {4}.*\n)*/m.exec(page) ?? []
  const { policy, problems } = readPolicy(block.replaceAll(/^ {4}/gm, ''))
  assert.deepEqual(problems, [])
  assert.deepEqual([policy.identify.length, policy.bindings.length], [1, 1])
  const anchors = new Map([['acme', 'trusted']] as const)
  assert.deepEqual(lintPolicy(policy, { fleet: null, anchors }, 0), [])
})

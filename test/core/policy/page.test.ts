/** The examples of the page about the policy: each is a policy that passes its own tests. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { compilePolicy } from '../../../src/core/policy/compile.ts'
import { failedExpectations } from '../../../src/core/policy/expectations.ts'
import { readPolicy } from '../../../src/core/policy/file/parse.ts'
import { readyMadeRoles } from '../../../src/core/policy/ready-made.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/policy.md'), 'utf8')
const examples = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, body = '']) => body)

test('there are examples on the page about the policy', () => {
  assert.ok(examples.length >= 3, `found ${examples.length}`)
})

for (const [index, example] of examples.entries()) {
  test(`example ${index + 1} is a policy that holds what it expects`, () => {
    const { policy, problems } = readPolicy(example)
    assert.deepEqual(problems, [])
    assert.deepEqual(failedExpectations(policy, compilePolicy(policy), new Map(), 0), [])
  })
}

test('the page names every ready-made role with its parameters', () => {
  for (const { name, parameters } of readyMadeRoles.values()) {
    const names = [...parameters.keys()].map((each) => `\`${each}\``).join(', ')
    assert.ok(page.includes(`| \`${name}\` | ${names}${names === '' ? '' : ' '}|`), name)
  }
})

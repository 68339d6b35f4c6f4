import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { encodingRules, type LintFinding, lintCertificate, lintRules } from '../../../src/core/profile/lint.ts'
import { type Case, encoded, type RuleCases, sound } from './draft.ts'

const rules = [...encodingRules, ...lintRules]
const ruleFolder = join(import.meta.dirname, '../../../src/core/profile/rules')
const caseFolder = join(import.meta.dirname, 'rules')

function found({ of = 'device', draft, plan, bytes }: Case): readonly LintFinding[] {
  const base = sound[of]
  const der = encoded({ ...base.draft, ...draft?.(base.draft) })
  return lintCertificate(bytes?.(der) ?? der, { ...base.plan, ...plan?.(base.plan) })
}

for (const kind of ['device', 'server', 'issuing', 'root'] as const) {
  test(`a sound ${kind} certificate breaks no rule`, () => assert.deepEqual(found({ what: '', of: kind }), []))
}

test('every rule stands in the list and in a file of its name, and says where it is from and what it is for', () => {
  const names = rules.map(({ name }) => name)
  assert.deepEqual(names.map((name) => `${name}.ts`).sort(), readdirSync(ruleFolder).sort())
  for (const { name, clause, reason } of rules) {
    assert.match(clause, /\d/, name)
    assert.match(reason, /^[a-z"A-Z].{20,}[^.]$/, name)
  }
})

test('every rule has cases, good and bad', async () => {
  assert.deepEqual(readdirSync(caseFolder).sort(), rules.map(({ name }) => `${name}.ts`).sort())
  for (const { name } of rules) {
    const { good, bad } = await casesOf(name)
    assert.ok(good.length > 0 && bad.length > 0, name)
  }
})

for (const { name } of rules) {
  const { good, bad } = await casesOf(name)
  const findings = (each: Case): readonly LintFinding[] => found(each).filter(({ rule }) => rule === name)
  for (const each of good) test(`${name} lets pass: ${each.what}`, () => assert.deepEqual(findings(each), []))
  for (const each of bad) test(`${name} stops: ${each.what}`, () => assert.equal(findings(each).length, 1))
}

async function casesOf(name: string): Promise<RuleCases> {
  const { cases } = (await import(`./rules/${name}.ts`)) as { readonly cases: RuleCases }
  return cases
}

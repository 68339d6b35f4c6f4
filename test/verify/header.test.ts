import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileNamePattern } from '../../src/core/identification/name-pattern.ts'
import { parsePattern } from '../../src/core/identification/pattern-parser.ts'
import type { IdentificationRule } from '../../src/core/policy/model.ts'
import { readAuthority } from '../../src/verify/authorities.ts'
import { accepts, automatonOf } from '../../src/verify/header/automaton.ts'
import { mbedtlsHeader } from '../../src/verify/header/header.ts'
import { headerRule, hubRule } from '../../src/verify/header/rules.ts'
import { authority } from '../support/anchor-bed.ts'

const acme = readAuthority('acme', authority('acme */ "issuing"').der)

function rule(more: Partial<IdentificationRule> = {}): IdentificationRule {
  return {
    ...hubRule('plant.example', ['acme']),
    ...{ from: 'san.uri', match: 'urn:acme:(?<id>[a-z0-9-]{1,32})', ...more },
  }
}

test('the table of a pattern takes what the pattern takes, of every text', () => {
  const patterns = ['[a-z0-9-]{1,32}', '(?:ab|a)*c?', 'a{2,}b+', '[^/]+', '.*x.', '(?:pump|press)-\\d{2,3}', '\\w?', '']
  const text = fc.string({ unit: fc.constantFrom(...'abcxz0159-/pumres_. '), maxLength: 12 })
  for (const pattern of patterns) {
    const automaton = automatonOf(parsePattern(pattern).root)
    assert.ok(!('words' in automaton), pattern)
    const compiled = compileNamePattern(pattern)
    fc.assert(
      fc.property(text, (each) => {
        assert.equal(accepts(automaton, each), compiled.match(each) !== null, `${pattern} on ${JSON.stringify(each)}`)
      }),
      { numRuns: 300 },
    )
  }
})

test('what is beyond ASCII matches nothing in a table', () => {
  const automaton = automatonOf(parsePattern('.*').root)
  assert.ok(!('words' in automaton))
  assert.deepEqual([accepts(automaton, 'pump'), accepts(automaton, 'pümp')], [true, false])
})

test('a rule is fixed text around one group that is the whole identity', () => {
  const { prefix, suffix } = headerRule(rule({ match: 'urn:acme:(?<id>[a-z]+)\\.device' }))
  assert.deepEqual([prefix, suffix], ['urn:acme:', '.device'])
})

const unfit: readonly (readonly [string, Partial<IdentificationRule>])[] = [
  ['any certificate', { from: null, match: null, identity: 'x' }],
  ['a thumbprint', { from: 'thumbprint' }],
  ['listeners', { listeners: ['plant'] }],
  ['a group', { group: 'line-4' }],
  ['registering', { onUnknown: 'create' }],
  ['two groups', { match: '(?<id>[a-z])(?<b>[a-z])' }],
  ['no group', { match: 'abc', identity: 'abc' }],
  ['an identity of two parts', { identity: 'acme-${id}' }],
  ['a prefix that is not fixed', { match: '[ab](?<id>[a-z])' }],
  ['a prefix beyond ASCII', { match: 'ä(?<id>[a-z])' }],
  ['alternatives around the group', { match: '(?<id>a)|b' }],
  ['more states than a byte numbers', { match: '(?<id>[ab]*a[ab]{9})' }],
]

for (const [words, more] of unfit) {
  test(`a rule with ${words} is not put into a header`, () => {
    assert.throws(() => headerRule(rule(more)), { code: 'verify-rule-unfit' })
  })
}

test('a header needs a rule, and a rule for each authority', () => {
  assert.throws(() => mbedtlsHeader([acme], []), { code: 'verify-settings-invalid' })
  assert.throws(() => mbedtlsHeader([acme], [rule({ anchors: ['other'] })]), { code: 'verify-settings-invalid' })
})

test('an id of an authority that is none comes into no header, where it would be code', () => {
  for (const id of ['*/ int main(void) { return 0; } /*', 'acme\n#error', 'acmé', '']) {
    assert.throws(() => mbedtlsHeader([acme], [rule({ anchors: ['acme', id] })]), { code: 'verify-settings-invalid' })
  }
})

test('the same authorities and rules make the same header, and no name of theirs ends a comment', () => {
  const text = mbedtlsHeader([acme], [rule()])
  assert.equal(text, mbedtlsHeader([acme], [rule()]))
  assert.match(text, /Built in: acme \(CN=acme __ __issuing__\)/)
  assert.equal(text.match(/\/\*/g)?.length, text.match(/\*\//g)?.length)
})

/** Patterns of names: what they match is what regular expressions of the language match, in bounded time. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { compileNamePattern, PatternError } from '../../../src/core/identification/name-pattern.ts'
import { limits } from '../../../src/core/limits.ts'

const held = (pattern: string, text: string): Record<string, string> | null => {
  const groups = compileNamePattern(pattern).match(text)
  return groups === null ? null : Object.fromEntries(groups)
}

/** Patterns of the subset, so that JavaScript reads them in the same way. */
const atoms = fc.oneof(
  fc.constantFrom('a', 'b', '-', '\\.', '.', '[ab]', '[^a]', '[a-c-]', '\\d', '\\w', '/'),
  fc.constantFrom('(?:a|ab)', '(?:a*)', '(?:b|)', '(?:(?:ab)+|a)'),
)
const times = fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,}', '{0,2}')
const pieces = fc.array(
  fc.tuple(atoms, times).map(([atom, count]) => atom + count),
  { maxLength: 5 },
)
const patterns = fc
  .tuple(pieces, pieces, pieces)
  .map(([before, inner, after]) => `${before.join('')}(?<id>${inner.join('')})${after.join('')}`)
const texts = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '-', '.', '/', '7'), maxLength: 12 })

suite('a pattern of names', () => {
  test('matches what JavaScript matches, with the same text in its group', () => {
    fc.assert(
      fc.property(patterns, texts, (pattern, text) => {
        const oracle = new RegExp(`^(?:${pattern})$`, 'su').exec(text)
        assert.equal(held(pattern, text)?.id, oracle?.groups?.id, `${pattern} on ${text}`)
      }),
      { numRuns: 3_000 },
    )
  })

  test('is held against the whole text, with anchors or without', () => {
    assert.deepEqual(held('urn:acme:(?<id>[a-z0-9-]{1,8})', 'urn:acme:m-1'), { id: 'm-1' })
    assert.deepEqual(held('^urn:acme:(?<id>[a-z]+)$', 'urn:acme:mill'), { id: 'mill' })
    assert.equal(held('urn:acme:(?<id>[a-z]+)', 'urn:acme:mill.evil'), null)
    assert.equal(held('acme', 'xacme'), null)
    assert.equal(held('acme', 'acme\n'), null)
  })

  test('tells of alternatives which was taken', () => {
    assert.deepEqual(held('m-(?<mill>\\d+)|p-(?<pump>\\d+)', 'p-7'), { pump: '7' })
  })

  test('takes a text that makes other engines run for years', () => {
    assert.equal(held('(?:(?:a+)+)+', `${'a'.repeat(limits.certificateNameCharsMax - 1)}!`), null)
    assert.equal(held('(?:a?){60}a{60}', 'a'.repeat(59)), null)
    assert.equal(held('.*', 'a'.repeat(limits.certificateNameCharsMax + 1)), null)
  })

  const wrong = [
    ...['(a)', '(?<1>a)', '(?<id>a)*', '(?:(?<id>a))+', '(?<id>a)(?<id>b)', '(?=a)', '(?<id>a', 'a)', 'a**', 'a+?'],
    ...['*a', '[]', '[z-a]', '[a', '[\\d-z]', '\\b', '\\n', 'a{3,2}', 'a{', 'a\\', 'a$b', 'a^', '\\1', ']'],
    ...['(?:(?:a{99}){99})', 'x'.repeat(limits.namePatternCharsMax + 1), '(?:'.repeat(20) + ')'.repeat(20)],
  ]
  for (const pattern of wrong) {
    test(`${pattern.slice(0, 24)} is refused`, () => {
      assert.throws(() => compileNamePattern(pattern), PatternError)
    })
  }
})

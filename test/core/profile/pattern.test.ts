import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { HubError } from '../../../src/core/errors.ts'
import { parseDnsName } from '../../../src/core/identity/names.ts'
import {
  assertPattern,
  expandPattern,
  type NameKind,
  type PlaceholderValues,
} from '../../../src/core/profile/pattern.ts'

const values: PlaceholderValues = {
  id: 'press-4',
  kind: 'device',
  group: 'line-2',
  realm: 'plant.example',
  attributes: { site: 'hall-2', host: 'press.plant.example', mail: 'ops@plant.example' },
  name: 'press-4.plant.example',
}

function withAttribute(site: string): PlaceholderValues {
  return { ...values, attributes: { site } }
}

function hasCode(code: string, words: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof HubError && error.code === code && words.test(error.message)
}

describe('a pattern', () => {
  test('puts what the registry holds in the place of its placeholders', () => {
    assert.equal(expandPattern('{id}.{attr.site}.{realm}', 'dns', values), 'press-4.hall-2.plant.example')
    assert.equal(expandPattern('{kind} {id} of {group}', 'subject', values), 'device press-4 of line-2')
    assert.equal(expandPattern('{attr.host}', 'dns', values), 'press.plant.example')
    assert.equal(expandPattern('{id}@{attr.site}.example', 'email', values), 'press-4@hall-2.example')
    assert.equal(expandPattern('{attr.mail}', 'email', values), 'ops@plant.example')
    assert.equal(expandPattern('{name}', 'subject', values), 'press-4.plant.example')
  })

  test('names what the identity lacks', () => {
    const lacking = { ...values, group: null, attributes: { empty: '' }, name: null }
    assert.throws(
      () => expandPattern('{attr.site}.example', 'dns', lacking),
      hasCode('attribute-missing', /"press-4" has no attribute "site", which "\{attr\.site\}\.example" asks for/),
    )
    assert.throws(() => expandPattern('{attr.empty}.x', 'dns', lacking), hasCode('attribute-missing', /"empty"/))
    assert.throws(() => expandPattern('{group}', 'subject', lacking), hasCode('attribute-missing', /has no group/))
    assert.throws(() => expandPattern('{name}', 'subject', lacking), hasCode('attribute-missing', /has no name/))
    assert.throws(() => expandPattern('{attr.toString}', 'dns', lacking), hasCode('attribute-missing', /"toString"/))
  })

  test('that is not well formed is refused with the profile', () => {
    const faults: readonly (readonly [string, NameKind, RegExp])[] = [
      ['', 'dns', /is empty/],
      ['*.plant.example', 'dns', /wildcards/],
      ['{id', 'dns', /brace/],
      ['id}', 'dns', /brace/],
      ['{{id}}', 'dns', /brace/],
      ['{serial}.x', 'dns', /the placeholder \{serial\}/],
      ['{attr.}', 'dns', /the placeholder/],
      ['{attr.a b}', 'dns', /the placeholder/],
      ['{name}', 'dns', /for subjects/],
      ['10.0.0.{attr.host}', 'ip', /one placeholder alone/],
      ['a'.repeat(257), 'dns', /longer than/],
    ]
    for (const [pattern, kind, words] of faults) {
      assert.throws(() => assertPattern(pattern, kind, 'the pattern'), hasCode('profile-invalid', words), pattern)
    }
    assertPattern('{attr.address}', 'ip', 'the pattern')
    assertPattern('10.0.0.1', 'ip', 'the pattern')
  })
})

describe('a value in a pattern', () => {
  const cannot = (value: string, pattern: string, kind: NameKind) =>
    assert.throws(
      () => expandPattern(pattern, kind, withAttribute(value)),
      hasCode('name-invalid', /\{attr\.site\} of "press-4" is .* and cannot stand in/),
      JSON.stringify([value, pattern]),
    )

  test('does not bring a wildcard into a name, as GHSA-59w7-v8rr-pr4p let it', () => {
    for (const value of ['*', '*.', 'a*']) {
      cannot(value, '{attr.site}.plant.example', 'dns')
      cannot(value, '{attr.site}@plant.example', 'email')
    }
    for (const kind of ['dns', 'email'] as const) {
      // Alone it is the name itself, which the parser of names refuses.
      assert.equal(expandPattern('{attr.site}', kind, withAttribute('*.example')), '*.example')
    }
    assert.throws(() => parseDnsName('*.example'), hasCode('name-invalid', /wildcards/))
  })

  test('does not bring a dot, an @ or another label into a name', () => {
    for (const value of ['a.evil', 'evil.example', 'a@b', 'a b', 'a\u0000', 'a/b', 'ä', '-.', '‮a']) {
      cannot(value, '{attr.site}.plant.example', 'dns')
      cannot(value, 'x@{attr.site}.example', 'email')
    }
    cannot('ops@evil.example', '{attr.site}@plant.example', 'email')
    cannot('"a"', '{attr.site}@plant.example', 'email')
  })

  test('in upper case would take the DNS name of another identity, and does not', () => {
    cannot('HALL-2', '{attr.site}.plant.example', 'dns')
    cannot('HALL.example', '{attr.site}', 'dns')
    assert.throws(
      () => expandPattern('{id}.plant.example', 'dns', { ...values, id: 'Press-4' }),
      hasCode('name-invalid', /upper case/),
    )
  })

  test('does not look like another attribute of the subject', () => {
    for (const value of ['a,O=Evil', 'a+CN=b', 'a=b', 'a"b', 'a\\', 'a;b', 'a<b', 'a/CN=b', '#3003']) {
      cannot(value, '{attr.site}', 'subject')
    }
  })

  test('leaves the end of a DNS name as the pattern has it, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), fc.string({ minLength: 1 }), (site, id) => {
        let name: string
        try {
          const all = { ...values, id, attributes: { site } }
          name = parseDnsName(expandPattern('{id}-{attr.site}.hall.plant.example', 'dns', all))
        } catch (error) {
          assert.ok(error instanceof HubError && error.code === 'name-invalid', String(error))
          return
        }
        assert.match(name, /^[a-z0-9-]+\.hall\.plant\.example$/)
        assert.equal(name, `${id}-${site}.hall.plant.example`)
      }),
    )
  })
})

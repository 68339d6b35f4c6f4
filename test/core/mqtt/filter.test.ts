import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { contains, matches, parseTopicFilter, type TopicFilter, unwrapShared } from '../../../src/core/mqtt/filter.ts'
import { parseTopicName, type TopicName } from '../../../src/core/mqtt/topic.ts'
import { Violation } from '../../../src/core/mqtt/violation.ts'

function filter(value: string): TopicFilter {
  const parsed = parseTopicFilter(value)
  assert.ok(!(parsed instanceof Violation), value)
  return parsed
}
function topic(value: string): TopicName {
  const parsed = parseTopicName(value)
  assert.ok(!(parsed instanceof Violation), value)
  return parsed
}

suite('topic filters', () => {
  test('wildcards stand as whole levels, "#" only as the last (MQTT-4.7.1-1, 4.7.1-2)', () => {
    for (const good of ['#', '+', '/', 'a/+/#', '+/+', '/a', 'a/', '$SYS/#', '$share/g/a/#', '$share/g//']) filter(good)
    for (const bad of [
      '',
      'a#',
      '#/a',
      'a/#/b',
      'a+',
      '+a/b',
      '$share',
      '$share/g',
      '$share/g/',
      '$share//a',
      '$share/+/a',
      'a\0',
    ]) {
      const parsed = parseTopicFilter(bad)
      assert.ok(parsed instanceof Violation, bad)
      assert.equal(parsed.code, 'packet-malformed')
    }
  })

  test('a filter of 33 levels or 1,025 bytes is refused as an invalid filter', () => {
    for (const bad of ['a/'.repeat(32), 'a'.repeat(1_025)]) {
      const parsed = parseTopicFilter(bad)
      assert.ok(parsed instanceof Violation)
      assert.equal(parsed.reasonV5, 0x8f)
    }
  })

  test('a leading wildcard matches no topic that starts with "$" (MQTT-4.7.2-1)', () => {
    assert.equal(matches(filter('#'), topic('$SYS/x')), false)
    assert.equal(matches(filter('+/x'), topic('$SYS/x')), false)
    assert.equal(matches(filter('$SYS/#'), topic('$SYS/x')), true)
  })

  test('"a/#" matches its parent "a", "a/+" does not match "a"', () => {
    assert.equal(matches(filter('a/#'), topic('a')), true)
    assert.equal(matches(filter('a/+'), topic('a')), false)
    assert.equal(matches(filter('a/+'), topic('a/')), true)
  })

  test('a shared subscription is judged by the filter behind its group', () => {
    assert.equal(unwrapShared(filter('$share/g/a/b')), 'a/b')
    assert.equal(unwrapShared(filter('$share/g//b')), '/b')
    assert.equal(unwrapShared(filter('a/b')), 'a/b')
  })

  test('containment is what trying every topic says', () => {
    // Up to four levels of three words, one of them never named by a filter, decide every filter of up to three levels.
    const words = ['a', 'b', 'other', '$x']
    const topics: TopicName[] = []
    const grow = (levels: string[]) => {
      if (levels.length > 0) topics.push(topic(levels.join('/')))
      if (levels.length < 4) for (const word of words) grow([...levels, word])
    }
    grow([])
    const anyFilter = fc
      .tuple(fc.array(fc.constantFrom('a', 'b', '+', '$x'), { maxLength: 3 }), fc.boolean())
      .filter(([levels, all]) => all || levels.length > 0)
      .map(([levels, all]) => filter([...levels, ...(all ? ['#'] : [])].join('/')))
    fc.assert(
      fc.property(anyFilter, anyFilter, (allowed, asked) => {
        const expected = topics.every((name) => !matches(asked, name) || matches(allowed, name))
        assert.equal(contains(allowed, asked), expected, `${allowed} contains ${asked}`)
      }),
      { numRuns: 3_000 },
    )
  })
})

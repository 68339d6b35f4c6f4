import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { matches, parseTopicFilter, type TopicFilter } from '../../../src/core/mqtt/filter.ts'
import type { TopicName } from '../../../src/core/mqtt/topic.ts'
import { FilterTree } from '../../../src/gate/upstream/embedded/filter-tree.ts'

const anyLevel = fc.constantFrom('', 'a', 'b', '$x')
const anyTopic = fc.array(anyLevel, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'))
const anyFilter = fc
  .tuple(fc.array(fc.oneof(anyLevel, fc.constant('+')), { maxLength: 4 }), fc.boolean())
  .map(([levels, all]) => [...levels, ...(all ? ['#'] : [])].join('/'))
  .filter((filter) => typeof parseTopicFilter(filter) === 'string')

test('a tree of filters finds what trying each filter finds, also after some are removed', () => {
  fc.assert(
    fc.property(fc.uniqueArray(anyFilter), fc.array(anyFilter), anyTopic, (filters, removed, topic) => {
      const tree = new FilterTree<string>()
      for (const filter of filters) for (const owner of ['o', 'p']) tree.set(filter, owner, filter)
      for (const filter of removed) for (const owner of ['o', 'nobody']) tree.delete(filter, owner)
      const found: string[] = []
      tree.match(topic, (owner, filter) => found.push(`${owner} ${filter}`))
      const expected = filters
        .filter((filter) => matches(filter as TopicFilter, topic as TopicName))
        .flatMap((filter) => [...(removed.includes(filter) ? [] : [`o ${filter}`]), `p ${filter}`])
      assert.deepEqual(found.toSorted(), expected.toSorted())
    }),
  )
})

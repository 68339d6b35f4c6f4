/** Decisions against an oracle that tries every topic, with regular expressions in the place of trees. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { overlaps, parseTopicFilter, type TopicFilter } from '../../../src/core/mqtt/filter.ts'
import { parseTopicName, type TopicName } from '../../../src/core/mqtt/topic.ts'
import { Violation } from '../../../src/core/mqtt/violation.ts'
import { compilePolicy, defaultPolicy } from '../../../src/core/policy/compile.ts'
import { FilterSet } from '../../../src/core/policy/filter-set.ts'
import type { Binding, Policy, Role, Statement } from '../../../src/core/policy/model.ts'
import { type Action, actions } from '../../../src/core/policy/rights.ts'
import { subject } from '../../support/subjects.ts'

const place = { line: 1, column: 1 }
const nowMs = Date.UTC(2026, 10, 25, 12)

/**
 * Every topic of up to four levels. `other` stands for all words that no filter names. The empty topic is among them: nobody can
 * send it, and it is the only one that `+` and `/#` have in common, which counts as an overlap, to be sure.
 */
const topics: readonly TopicName[] = ['' as TopicName, ...grown(['a', 'b', '', 'other', '$x'], 4)]

function grown(words: readonly string[], depth: number): readonly TopicName[] {
  const all: TopicName[] = []
  const grow = (levels: readonly string[]): void => {
    const topic = parseTopicName(levels.join('/'))
    if (levels.length > 0 && !(topic instanceof Violation)) all.push(topic)
    if (levels.length < depth) for (const word of words) grow([...levels, word])
  }
  grow([])
  return all
}

/** Filters of up to three levels, so that a level more in a topic tells "#" from everything else. */
const anyFilter: fc.Arbitrary<TopicFilter> = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', '', '+', '$x'), { maxLength: 3 }), fc.boolean())
  .map(([levels, hasRest]) => parseTopicFilter([...levels, ...(hasRest ? ['#'] : [])].join('/')))
  .filter((filter): filter is TopicFilter => !(filter instanceof Violation))

/** What the specification says of a filter (MQTT 5 §4.7), as the topics that it matches. */
const matched = new Map<string, ReadonlySet<TopicName>>()

function topicsOf(filter: string): ReadonlySet<TopicName> {
  let set = matched.get(filter)
  if (set === undefined) {
    const levels = filter.split('/').map((level) => {
      if (level === '+') return '[^/]*'
      return level === '#' ? '#' : level.replace('$', '\\$')
    })
    const body = levels.join('/').replace(/^#$/, '.*').replace(/\/#$/, '(/.*)?')
    const expression = new RegExp(`^${/^[+#]/.test(filter) ? '(?!\\$)' : ''}${body}$`)
    set = new Set(topics.filter((topic) => expression.test(topic)))
    matched.set(filter, set)
  }
  return set
}

function isWithin(inner: string, outer: string): boolean {
  for (const topic of topicsOf(inner)) if (!topicsOf(outer).has(topic)) return false
  return true
}

function meets(one: string, other: string): boolean {
  for (const topic of topicsOf(one)) if (topicsOf(other).has(topic)) return true
  return false
}

suite('filters in a tree', () => {
  const sets = fc.array(anyFilter, { maxLength: 12 })
  const treeOf = (filters: readonly TopicFilter[]) => {
    const set = new FilterSet<TopicFilter>()
    for (const filter of filters) set.add(filter, filter)
    return set
  }

  test('answer with one that matches the topic, exactly where there is one', () => {
    fc.assert(
      fc.property(sets, fc.constantFrom(...topics), (filters, topic) => {
        const found = treeOf(filters).match(topic)
        assert.equal(
          found !== null,
          filters.some((filter) => topicsOf(filter).has(topic)),
        )
        if (found !== null) assert.ok(topicsOf(found).has(topic))
      }),
      { numRuns: 2_000 },
    )
  })

  test('answer with one that contains another filter, exactly where there is one', () => {
    fc.assert(
      fc.property(sets, anyFilter, (filters, asked) => {
        const found = treeOf(filters).containing(asked)
        assert.equal(
          found !== null,
          filters.some((filter) => isWithin(asked, filter)),
        )
        if (found !== null) assert.ok(isWithin(asked, found), `${found} does not contain ${asked}`)
      }),
      { numRuns: 3_000 },
    )
  })

  test('answer with all that contain another filter', () => {
    fc.assert(
      fc.property(sets, anyFilter, (filters, asked) => {
        assert.deepEqual(
          new Set(treeOf(filters).everyContaining(asked)),
          new Set(filters.filter((filter) => isWithin(asked, filter))),
        )
      }),
      { numRuns: 3_000 },
    )
  })

  test('answer with one that overlaps another filter, exactly where there is one', () => {
    fc.assert(
      fc.property(sets, anyFilter, (filters, asked) => {
        const found = treeOf(filters).overlapping(asked)
        assert.equal(
          found !== null,
          filters.some((filter) => meets(asked, filter)),
        )
        if (found !== null) assert.ok(meets(asked, found), `${found} does not overlap ${asked}`)
      }),
      { numRuns: 3_000 },
    )
  })

  test('overlap two by two as single filters do', () => {
    fc.assert(
      fc.property(anyFilter, anyFilter, (one, other) => assert.equal(overlaps(one, other), meets(one, other))),
      { numRuns: 3_000 },
    )
  })
})

interface Written {
  readonly effect: 'allow' | 'deny'
  readonly actions: readonly Action[]
  /** Filters, or null for one with an attribute that the subject has not. */
  readonly topics: readonly (TopicFilter | null)[]
  /** Whether the condition holds; `unknown` asks for an attribute that the subject has not. */
  readonly when: 'none' | 'holds' | 'fails' | 'unknown'
}

const conditions = {
  none: {},
  holds: { attributes: new Map([['zone', ['red', 'green']]]) },
  fails: { attributes: new Map([['zone', ['blue']]]) },
  unknown: { attributes: new Map([['floor', ['1']]]) },
} as const

const anyStatement: fc.Arbitrary<Written> = fc.record({
  effect: fc.constantFrom('allow', 'allow', 'deny'),
  actions: fc.subarray([...actions], { minLength: 1 }),
  topics: fc.array(fc.option(anyFilter, { freq: 12 }), { minLength: 1, maxLength: 3 }),
  when: fc.constantFrom('none', 'none', 'holds', 'fails', 'unknown'),
})

/** The statements, shared out among roles, with everybody's and the group's bindings mixed. */
function policyOf(written: readonly Written[]): Policy {
  const statements = written.map(({ effect, actions: about, topics: filters, when }): Statement => {
    // The word "a" is the attribute of that value wherever it stands.
    const texts = filters.map(
      (filter) => filter?.replaceAll(/\ba\b/g, '${identity.attr.word}') ?? '${identity.attr.no}/x',
    )
    return { effect, actions: about, topics: texts, when: conditions[when], place }
  })
  const roles = new Map<string, Role>()
  const bindings: Binding[] = []
  for (const [i, statement] of statements.entries()) {
    const name = `r${i % 3}`
    const role = roles.get(name) ?? { name, parameters: new Map(), statements: [], limits: {} }
    roles.set(name, { ...role, statements: [...role.statements, statement] })
  }
  for (const name of roles.keys()) {
    const to: Binding['to'] = name === 'r0' ? { kind: 'everyone' } : { kind: 'groups', groups: ['line'] }
    bindings.push({ roles: [{ name, parameters: new Map() }], to, place })
  }
  return { ...defaultPolicy, roles, bindings }
}

const who = subject('pump-7', { identity: { group: 'line', attributes: { word: 'a', zone: 'green' } } })

/** The rule as it is told: nothing is allowed but what an allow says, and a deny wins. */
function oracle(written: readonly Written[], action: Action, isAllowedBy: Fits, isDeniedBy: Fits): boolean {
  const about = written.filter((each) => each.actions.includes(action))
  const isDenied = about.some(
    ({ effect, when, topics: filters }) =>
      effect === 'deny' && when !== 'fails' && filters.some((filter) => filter === null || isDeniedBy(filter)),
  )
  return (
    !isDenied &&
    about.some(
      ({ effect, when, topics: filters }) =>
        effect === 'allow' &&
        (when === 'none' || when === 'holds') &&
        filters.some((filter) => filter !== null && isAllowedBy(filter)),
    )
  )
}

type Fits = (filter: TopicFilter) => boolean

suite('decisions of a policy', () => {
  const policies = fc.array(anyStatement, { maxLength: 10 })

  test('about topics are those of the statements one by one, in any order', () => {
    fc.assert(
      fc.property(policies, fc.constantFrom(...topics), (written, topic) => {
        const has: Fits = (filter) => topicsOf(filter).has(topic)
        // A connection has no topic: what a statement says of topics does not count for it.
        const withoutTopics = written.map((each): Written => ({ ...each, topics: ['#' as TopicFilter] }))
        const everything: Fits = () => true
        for (const order of [written, written.toReversed()]) {
          const rights = compilePolicy(policyOf(order)).rightsOf(who, nowMs)
          const decided = {
            publish: rights.mayPublish(topic),
            receive: rights.mayReceive(topic),
            retain: rights.mayRetain(topic),
            will: rights.mayLeaveWill(topic),
          }
          for (const [action, allowed] of Object.entries(decided) as [keyof typeof decided, boolean][]) {
            assert.equal(allowed, oracle(written, action, has, has), action)
            assert.equal(rights.explain(action, topic).allowed, allowed, action)
          }
          assert.equal(rights.mayConnect(), oracle(withoutTopics, 'connect', everything, everything))
        }
      }),
      { numRuns: 1_500 },
    )
  })

  test('about a subscription are those of every topic that it could bring', () => {
    fc.assert(
      fc.property(policies, anyFilter, fc.boolean(), (written, filter, isSharedOne) => {
        const asked = (isSharedOne && filter !== '' ? `$share/g/${filter}` : filter) as TopicFilter
        const expected = oracle(
          written,
          'subscribe',
          (outer) => isWithin(filter, outer),
          (denied) => meets(filter, denied),
        )
        const rights = compilePolicy(policyOf(written)).rightsOf(who, nowMs)
        assert.equal(rights.maySubscribe(asked), expected)
        assert.equal(rights.explain('subscribe', asked).allowed, expected)
      }),
      { numRuns: 2_000 },
    )
  })

  test('of somebody without any attribute allow nothing that names one, and a deny that names one denies everything', () => {
    const nobody = subject('pump-7', { identity: { group: 'line' } })
    fc.assert(
      fc.property(policies, fc.constantFrom(...topics), (written, topic) => {
        const lost = written.map(
          (each): Written => ({
            ...each,
            topics: each.topics.map((filter) => (filter !== null && /\ba\b/.test(filter) ? null : filter)),
            when: each.when === 'none' ? 'none' : 'unknown',
          }),
        )
        const has: Fits = (filter) => topicsOf(filter).has(topic)
        const rights = compilePolicy(policyOf(written)).rightsOf(nobody, nowMs)
        assert.equal(rights.mayPublish(topic), oracle(lost, 'publish', has, has))
      }),
      { numRuns: 1_000 },
    )
  })

  test('do not depend on who else has asked the same compiled policy', () => {
    const others = [
      subject('pump-8', { identity: { attributes: { word: 'b', zone: 'blue', floor: '1' } } }),
      subject('pump-9', { identity: { group: 'line' } }),
      subject('pump-7', {
        credential: { state: 'quarantined' },
        identity: { group: 'line', attributes: { word: 'a' } },
      }),
    ]
    fc.assert(
      fc.property(policies, fc.array(fc.constantFrom(...topics), { minLength: 1, maxLength: 5 }), (written, asked) => {
        const policy = policyOf(written)
        const shared = compilePolicy(policy)
        for (const each of [who, ...others, who]) {
          const [one, other] = [shared.rightsOf(each, nowMs), compilePolicy(policy).rightsOf(each, nowMs)]
          assert.equal(one.mayConnect(), other.mayConnect())
          for (const topic of asked) {
            assert.equal(one.mayReceive(topic), other.mayReceive(topic))
            assert.equal(one.mayPublish(topic), other.mayPublish(topic))
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  test('let nobody choose a client id or an attribute that reaches into topics of others', () => {
    const nasty = fc.string({ unit: fc.constantFrom('a', '+', '#', '/', '$', '\0', '\n', 'x'), maxLength: 4 })
    const statement = (topic: string): Statement => ({
      ...{ effect: 'allow', actions: ['publish', 'subscribe', 'receive'], topics: [topic], when: {}, place },
    })
    const shapes = ['${client.id}/x', '${client.id}', 'p/${client.id}/#', '${identity.attr.word}/#', 'q${client.id}/r']
    fc.assert(
      fc.property(nasty, fc.constantFrom(...shapes), fc.constantFrom(...topics), (value, shape, topic) => {
        const role: Role = { name: 'r', parameters: new Map(), statements: [statement(shape)], limits: {} }
        const bindings: Binding[] = [{ roles: [{ name: 'r', parameters: new Map() }], to: { kind: 'everyone' }, place }]
        const named = subject('pump-7', { clientId: value, identity: { attributes: { word: value } } })
        const rights = compilePolicy({ ...defaultPolicy, roles: new Map([['r', role]]), bindings }).rightsOf(
          named,
          nowMs,
        )
        // The only topics that it may open are those where the value stands, whole, in the level of the variable.
        const level = shape.split('/').findIndex((each) => each.includes('${'))
        const own = (shape.split('/')[level] ?? '').replace(/\$\{[^}]*\}/, value)
        if (topic.split('/')[level] !== own || topic.startsWith('$')) {
          assert.equal(rights.mayPublish(topic), false)
          assert.equal(rights.mayReceive(topic), false)
        }
        for (const filter of ['#', '+/#', 'p/#', 'p/+', '$SYS/#', '$x/#', '+/x']) {
          assert.equal(rights.maySubscribe(filter as TopicFilter), false, filter)
        }
      }),
      { numRuns: 3_000 },
    )
  })
})

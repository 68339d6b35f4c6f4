/** Warnings about policies that are valid: each rule with a policy that it tells of, and the nearest that it lets pass. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { parsePolicy } from '../../../src/core/policy/file/parse.ts'
import { type Counted, FleetCount } from '../../../src/core/policy/lint/fleet.ts'
import { lintPolicy, policyLintRules } from '../../../src/core/policy/lint/lint.ts'
import type { Fleet } from '../../../src/core/policy/lint/rule.ts'

const nowMs = Date.UTC(2026, 10, 25, 12)
const thumbprint = 'ab12'.repeat(16)

/** Rules with the lines that they tell of. */
function told(source: string, fleet: Fleet | null = null): readonly string[] {
  return lintPolicy(parsePolicy(source), { fleet, anchors: null }, nowMs).map(({ rule, line }) => `${rule} ${line}`)
}

/** One role of the given statements, from line 4 on, bound to a group. */
function roleOf(statements: string, to = '{ group: l3 }'): string {
  const lines = statements.split('\n').map((line) => `      ${line}`)
  return `roles:\n  line:\n    statements:\n${lines.join('\n')}\nbindings:\n  - roles: [line]\n    to: ${to}\n`
}

function fleetOf(identities: readonly Counted[]): Fleet {
  const fleet = new FleetCount()
  for (const identity of identities) fleet.add(identity)
  return fleet
}

function counted(id: string, parts: Partial<Counted> = {}): Counted {
  return { id, kind: 'device', group: null, attributes: {}, ...parts }
}

suite('the lint of a policy', () => {
  test('has nothing to say of a policy that gives each its own', () => {
    assert.deepEqual(told('bindings:\n  - roles: [own-topics, edge-node, viewer]\n    to: everyone\n'), [])
    assert.deepEqual(
      told(
        roleOf("- allow: [connect]\n- allow: [publish, subscribe, receive]\n  topics: ['lines/${identity.group}/#']"),
      ),
      [],
    )
  })

  test('tells of what refers to a certificate', () => {
    const topic = `- allow: [publish]\n  topics: ['c/${thumbprint}/x']`
    assert.deepEqual(told(roleOf(topic)), ['serial-reference 4'])
    const colons = `- allow: [publish]\n  topics: [a]\n  when: { attributes: { cert: 'AB:12:CD:34:EF:56:AB:12' } }`
    assert.deepEqual(told(roleOf(colons)), ['serial-reference 4'])
    assert.deepEqual(told(roleOf("- allow: [publish]\n  topics: ['c/${identity.attr.thumbprint}']")), [
      'serial-reference 4',
    ])
    const rule = `identify:\n  - { name: r, anchors: [a], from: thumbprint, match: '(?<id>[0-9a-f]{64})', identity: '\${id}' }\n`
    assert.deepEqual(told(rule), ['nobody-bound 1', 'serial-reference 2'])
    assert.deepEqual(told(`bindings:\n  - roles: [own-topics]\n    to: { identity: '${thumbprint}' }\n`), [
      'serial-reference 2',
    ])
  })

  test('lets the serial number of a machine pass, and words that are long', () => {
    assert.deepEqual(told(roleOf("- allow: [publish]\n  topics: ['m/${identity.attr.serial}']")), [])
    assert.deepEqual(told(roleOf("- allow: [publish]\n  topics: ['m/0123456789', 'deadbeef', 'aa:bb']")), [])
  })

  test('tells of wildcards alone that more than one is granted, and to how many', () => {
    const all = "- allow: [publish, subscribe, receive]\n  topics: ['#']"
    assert.deepEqual(told(roleOf(all)), ['wide-grant 4'])
    assert.deepEqual(told(roleOf(all, '{ identity: scada }')), [])
    assert.deepEqual(told(roleOf(all, '{ identity: [a, b] }')), ['wide-grant 4'])
    assert.deepEqual(told(roleOf("- deny: [publish]\n  topics: ['#']")), [])
    const fleet = fleetOf(Array.from({ length: 400 }, (_, i) => counted(`p${i}`, { group: i < 399 ? 'l3' : 'l4' })))
    const [finding] = lintPolicy(parsePolicy(roleOf(all)), { fleet, anchors: null }, nowMs)
    assert.equal(
      finding?.message,
      'the role line grants publish, subscribe, receive on "#" to group l3 (399 identities)',
    )
    assert.deepEqual(told(roleOf(all, '{ group: l4 }'), fleet), [])
  })

  test('sees a wildcard that a binding gives to a role', () => {
    const parameters =
      "roles:\n  r:\n    parameters: { what: x }\n    statements:\n      - allow: [publish]\n        topics: ['${role.what}']\n"
    const bound = (what: string) =>
      `${parameters}bindings:\n  - roles: [{ name: r, with: { what: '${what}' } }]\n    to: everyone\n`
    assert.deepEqual(told(bound('#')), ['wide-grant 5'])
    assert.deepEqual(told(bound('a/#')), [])
  })

  test('tells of what never matches', () => {
    const unbound =
      'roles:\n  r:\n    statements:\n      - allow: [connect]\nbindings:\n  - roles: [own-topics]\n    to: everyone\n'
    assert.deepEqual(told(unbound), ['never-matches 4'])
    const over = "- allow: [publish]\n  topics: [a]\n  when: { time: { notAfter: '2026-01-01T00:00:00Z' } }"
    assert.deepEqual(told(roleOf(over)), ['never-matches 4'])
    assert.deepEqual(told(roleOf(over.replace('2026-', '2027-'))), [])
    const kind = '- allow: [publish]\n  topics: [a]\n  when: { kind: service }'
    assert.deepEqual(told(roleOf(kind, '{ kind: device }')), ['never-matches 4'])
    assert.deepEqual(told(roleOf(kind, '{ kind: [device, service] }')), [])
    const group = '- allow: [publish]\n  topics: [a]\n  when: { group: l4 }'
    assert.deepEqual(told(roleOf(group)), ['never-matches 4'])
    assert.deepEqual(told(roleOf(group, '{ group: [l3, l4] }')), [])
  })

  test('tells of a binding that reaches nobody whom the registry knows', () => {
    const fleet = fleetOf([counted('pump-7', { group: 'l3' })])
    const policy = (to: string) => `bindings:\n  - roles: [own-topics]\n    to: ${to}\n`
    assert.deepEqual(told(policy('{ group: l4 }'), fleet), ['never-matches 2'])
    assert.deepEqual(told(policy('{ identity: pump-8 }'), fleet), ['never-matches 2'])
    assert.deepEqual(told(policy('{ group: l3 }'), fleet), [])
    assert.deepEqual(told(policy('{ group: l4 }')), [])
  })

  test('tells of a subscription that nothing is delivered for, and of retain without publish', () => {
    assert.deepEqual(told(roleOf("- allow: [subscribe]\n  topics: ['a/#']")), ['never-matches 4'])
    assert.deepEqual(told(roleOf("- allow: [subscribe]\n  topics: ['a/#']\n- allow: [receive]\n  topics: [a/b]")), [])
    assert.deepEqual(told(roleOf('- allow: [publish]\n  topics: [a]\n- allow: [retain]\n  topics: [b]')), [
      'never-matches 6',
    ])
    assert.deepEqual(told(roleOf('- allow: [will]\n  topics: [b]\n- allow: [retain]\n  topics: [b]')), [])
  })

  test('tells of a statement that another one makes useless', () => {
    const denied = "- allow: [publish]\n  topics: ['a/b']\n- deny: [publish, will]\n  topics: ['a/#']"
    assert.deepEqual(told(roleOf(denied)), ['shadowed 4'])
    const twice =
      "- allow: [publish, will]\n  topics: ['a/+/${client.id}']\n- allow: [publish]\n  topics: ['a/b/${client.id}']"
    assert.deepEqual(told(roleOf(twice)), ['shadowed 6'])
    const same = '- allow: [publish]\n  topics: [a]\n- allow: [publish]\n  topics: [a]'
    assert.deepEqual(told(roleOf(same)), ['shadowed 6'])
  })

  test('lets statements pass of which each says something', () => {
    const pairs = [
      "- allow: [publish]\n  topics: ['a/#']\n- deny: [publish]\n  topics: ['a/b']",
      "- allow: [publish]\n  topics: ['a/b']\n- allow: [will]\n  topics: ['a/#']",
      "- allow: [publish]\n  topics: ['a/b']\n- allow: [publish]\n  topics: ['a/#']\n  when: { tls: '1.3' }",
      "- deny: [publish]\n  topics: ['a/#']\n- deny: [publish]\n  topics: ['a/${identity.attr.x}']",
      "- allow: [publish]\n  topics: ['${client.id}/x']\n- deny: [publish]\n  topics: ['+/y']",
    ]
    for (const pair of pairs) assert.deepEqual(told(roleOf(pair)), [], pair)
  })

  test('tells of attributes that nobody has, where it is known who has some', () => {
    const statement = "- allow: [publish]\n  topics: ['s/${identity.attr.sites}']"
    const subjects = 'subjects:\n  pump-7: { group: l3, attributes: { site: berlin } }\n'
    assert.deepEqual(told(roleOf(statement)), [])
    assert.deepEqual(told(roleOf(statement) + subjects), ['undefined-attribute 4'])
    assert.deepEqual(told(roleOf(statement.replace('sites', 'site')) + subjects), [])
    const fleet = fleetOf([counted('pump-7', { group: 'l3', attributes: { site: 'berlin' } })])
    const [finding] = lintPolicy(parsePolicy(roleOf(statement)), { fleet, anchors: null }, nowMs)
    assert.match(finding?.message ?? '', /no identity has the attribute "sites".*did you mean "site"\?/)
    const condition = '- deny: [publish]\n  topics: [a]\n  when: { attributes: { zone: red } }'
    assert.deepEqual(told(roleOf(condition), fleet), ['undefined-attribute 4'])
  })

  test('tells of trust anchors that there are not, or that open nothing, where it is known which there are', () => {
    const rule = (anchors: string) =>
      `bindings:\n  - { roles: [own-topics], to: everyone }\nidentify:\n  - { name: r, anchors: [${anchors}], from: cn, match: '(?<id>[a-z]+)', identity: '\${id}' }\n`
    const anchors = new Map([
      ['acme', 'trusted'],
      ['plant', 'waiting'],
    ] as const)
    const found = (source: string) =>
      lintPolicy(parsePolicy(source), { fleet: null, anchors }, nowMs).map((each) => `${each.line} ${each.message}`)
    assert.deepEqual(found(rule('acme')), [])
    assert.deepEqual(told(rule('acne')), [])
    assert.deepEqual(found(rule('acne, plant')), [
      '4 the rule "r" names the trust anchor "acne", which there is not; did you mean "acme"?',
      '4 the rule "r" names the trust anchor "plant", which is waiting',
    ])
  })

  test('never fails on a policy that is read', () => {
    const level = fc.constantFrom('a', '+', '${client.id}', '${identity.attr.x}', '$SYS', thumbprint)
    const topic = fc.array(level, { minLength: 1, maxLength: 3 }).map((levels) => levels.join('/'))
    const statement = fc.tuple(fc.constantFrom('allow', 'deny'), topic).map(([effect, text]) => {
      return `- ${effect}: [publish, subscribe]\n  topics: ['${text}']`
    })
    fc.assert(
      fc.property(fc.array(statement, { minLength: 1, maxLength: 5 }), fc.boolean(), (statements, hasFleet) => {
        const source = roleOf(statements.join('\n'))
        const names = policyLintRules.map(({ name }) => name)
        const surroundings = { fleet: hasFleet ? fleetOf([]) : null, anchors: null }
        for (const { rule, line } of lintPolicy(parsePolicy(source), surroundings, nowMs)) {
          assert.ok(names.includes(rule) && line > 0)
        }
      }),
    )
  })
})

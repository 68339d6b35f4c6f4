/** Policy files: what is read from them, and what is said of those that are wrong. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { HubError } from '../../../src/core/errors.ts'
import { compilePolicy } from '../../../src/core/policy/compile.ts'
import { failedExpectations } from '../../../src/core/policy/expectations.ts'
import { parsePolicy, readPolicy } from '../../../src/core/policy/file/parse.ts'
import { problemLine } from '../../../src/core/policy/file/problems.ts'

const whole = `
identify:
  - name: acme-machines
    anchors: [acme]
    from: san.uri
    match: 'urn:acme:device:(?<id>[a-z0-9-]{1,64})'
    identity: '\${id}'
    onUnknown: create
    group: acme
roles:
  line-reader:
    parameters: { site: '\${identity.attr.site}' }
    statements:
      - allow: [connect]
      - allow: [subscribe, receive]
        topics: ['lines/\${role.site}/#']
        when: { tls: '1.3', source: [10.0.0.0/8], time: { from: "08:00", until: "18:00", days: [mon, fri] } }
      - deny: publish
        topics: lines/+/cmd/#
    limits: { qos: 1, payloadBytes: 65536, publishesPerSecond: 50, subscriptions: 20, sessions: 1, clientId: '\${identity.id}' }
bindings:
  - roles: [own-topics, line-reader]
    to: everyone
  - roles: [{ name: edge-node, with: { group: G1 } }]
    to: { group: [line-3, line-4] }
subjects:
  pump-7: { kind: device, group: line-3, attributes: { site: berlin } }
expect:
  - pump-7 connect => allow
  - pump-7 publish spBv1.0/G1/NDATA/pump-7 => allow
  - pump-7 publish spBv1.0/G1/NDATA/pump-8 => deny
  - pump-7 subscribe spBv1.0/# => deny
`

const linesOf = (source: string): readonly string[] => readPolicy(source).problems.map(problemLine)

suite('a policy file', () => {
  test('is read whole', () => {
    const policy = parsePolicy(whole)
    assert.equal(policy.identify[0]?.onUnknown, 'create')
    const role = policy.roles.get('line-reader')
    assert.deepEqual(role?.limits, {
      ...{ qosMax: 1, payloadBytesMax: 65_536, publishesPerSecondMax: 50, subscriptionsMax: 20, sessionsMax: 1 },
      clientId: '${identity.id}',
    })
    assert.deepEqual(role?.statements[1]?.when.time?.weekdays, [1, 5])
    assert.deepEqual(policy.bindings[1]?.to, { kind: 'groups', groups: ['line-3', 'line-4'] })
    assert.equal(policy.expectations.length, 4)
  })

  test('passes its own tests, or says what decides', () => {
    const policy = parsePolicy(whole)
    assert.deepEqual(failedExpectations(policy, compilePolicy(policy), new Map(), 0), [])
    const wrong = parsePolicy(whole.replace('pump-8 => deny', 'pump-8 => allow'))
    const [failed] = failedExpectations(wrong, compilePolicy(wrong), new Map(), 0)
    assert.match(
      failed?.message ?? '',
      /"pump-7 publish spBv1.0\/G1\/NDATA\/pump-8" should be allowed and is denied: no statement/,
    )
    assert.equal(failed?.line, 31)
  })

  test('says how somebody is connected for whom it expects something', () => {
    const source = (verdicts: readonly string[]) => {
      const [early, late, near, old, stored, anchored, slow] = verdicts
      return `
roles:
  night:
    statements:
      - allow: [publish]
        topics: [a]
        when: { time: { from: "22:00", until: "06:00", zone: Europe/Berlin } }
      - allow: [publish]
        topics: [b]
        when: { source: 10.0.0.0/8, tls: "1.3", listener: plant }
      - allow: [publish]
        topics: [c]
        when: { keyStorage: tpm, issuer: acme, proof: anchored }
    limits: { clientId: '\${identity.id}' }
bindings: [{ roles: [night], to: everyone }]
subjects: { pump-7: { keyStorage: tpm } }
expect:
  - when: { time: 2026-11-25T20:59:59Z }
    that: pump-7 publish a => ${early}
  - when: { time: "2026-11-25T22:00:00+01:00" }
    that: [pump-7 publish a => ${late}, pump-7 publish b => deny]
  - when: { source: 10.3.0.1, listener: plant }
    that: pump-7 publish b => ${near}
  - { when: { source: 10.3.0.1, listener: plant, tls: "1.2" }, that: pump-7 publish b => ${old} }
  - { when: { proof: anchored, issuer: acme }, that: [pump-7 publish c => ${stored}, pump-8 publish c => deny] }
  - { when: { issuer: acme }, that: pump-7 publish c => ${anchored} }
  - { when: { clientId: other }, that: pump-7 connect => ${slow} }
`
    }
    const outcomes = (verdicts: readonly string[]) => {
      const policy = parsePolicy(source(verdicts))
      return failedExpectations(policy, compilePolicy(policy), new Map(), Date.UTC(2026, 10, 25, 12))
    }
    const right = ['deny', 'allow', 'allow', 'deny', 'allow', 'deny', 'deny']
    assert.deepEqual(outcomes(right).map(problemLine), [])
    const turned = outcomes(right.map((verdict) => (verdict === 'deny' ? 'allow' : 'deny')))
    assert.equal(turned.length, right.length)
    assert.match(turned[3]?.message ?? '', /the connection speaks TLSv1.2/)
    assert.match(turned[6]?.message ?? '', /wants the client id to be "pump-7", and it is "other"/)
  })

  test('may have ten thousand statements, in many roles and in one', () => {
    const statement = "      - { allow: [publish, subscribe, receive], topics: ['plants/hall-N/${identity.id}/#'] }\n"
    for (const perRole of [100, 10_000]) {
      const roles = Array.from({ length: 10_000 / perRole }, (_, i) => {
        const statements = Array.from({ length: perRole }, (_, n) => statement.replace('N', String(n))).join('')
        return `  role-${i}:\n    statements:\n${statements}`
      })
      const policy = parsePolicy(`roles:\n${roles.join('')}bindings: [{ roles: [role-0], to: everyone }]\n`)
      assert.equal([...policy.roles.values()].flatMap(({ statements }) => statements).length, 10_000)
    }
  })

  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ['an unknown section', 'binding: []', /^1:1 "binding" is not known in a policy; did you mean "bindings"\?$/],
    ['an empty file', '', /^1:1 the policy is empty/],
    ['a list in place of a map', '- a', /^1:1 a policy is missing: a map of names and values is wanted$/],
    ['a word where a map belongs', 'roles: no', /"no" is not a map of names and values, as roles is/],
    [
      'an action that there is not',
      'roles: {r: {statements: [{allow: [pubish], topics: [a]}]}}',
      /"pubish" is no action; did you mean "publish"\?/,
    ],
    ['a statement without an effect', 'roles: {r: {statements: [{topics: [a]}]}}', /has either `allow` or `deny`/],
    ['a statement with both', 'roles: {r: {statements: [{allow: publish, deny: publish, topics: [a]}]}}', /has either/],
    ['a statement without topics', 'roles: {r: {statements: [{allow: publish}]}}', /names no topics/],
    ['a filter that is none', 'roles: {r: {statements: [{allow: publish, topics: ["a/#/b"]}]}}', /is no topic filter/],
    ['a shared filter', 'roles: {r: {statements: [{allow: subscribe, topics: ["$share/g/a"]}]}}', /behind its group/],
    [
      'a variable that there is not',
      'roles: {r: {statements: [{allow: publish, topics: ["${identity.ip}"]}]}}',
      /which there is not/,
    ],
    [
      'a parameter of another role',
      'roles: {r: {statements: [{allow: publish, topics: ["${role.x}"]}]}}',
      /which there is not/,
    ],
    ['a role that there is not', 'bindings: [{roles: [own-topic], to: everyone}]', /did you mean "own-topics"\?/],
    [
      'a parameter that the role has not',
      'bindings: [{roles: [{name: edge-node, with: {grp: a}}], to: everyone}]',
      /"grp" is not known/,
    ],
    ['nobody to bind to', 'bindings: [{roles: [viewer]}]', /does not say to whom/],
    [
      'two kinds of target',
      'bindings: [{roles: [viewer], to: {group: a, kind: user}}]',
      /is one of identity, group and kind/,
    ],
    [
      'a network that is none',
      'roles: {r: {statements: [{allow: connect, when: {source: 10.0.0.1/8}}]}}',
      /is no network/,
    ],
    [
      'a zone that is none',
      'roles: {r: {statements: [{allow: connect, when: {time: {zone: Mars}}}]}}',
      /is no time zone/,
    ],
    [
      'half a day',
      'roles: {r: {statements: [{allow: connect, when: {time: {from: "08:00"}}}]}}',
      /both `from` and `until`/,
    ],
    ['a number out of bounds', 'roles: {r: {limits: {qos: 3}}}', /"?3"? is not a whole number from 0 to 2/],
    ['the quarantine', 'roles: {quarantine: {}}', /is what it is/],
    ['a name written twice', 'roles: {}\nroles: {}', /unique/],
    ['an alias', 'roles: &a {}\nbindings: *a', /.+/],
    ['a rule without an anchor', 'identify: [{name: a, from: cn, match: b, identity: c}]', /bound to no trust anchor/],
    [
      'a rule for anything',
      'identify: [{name: a, anchors: [b], identity: c}]',
      /neither `from`.*nor `anyCertificate: true`/,
    ],
    ['an expectation without an arrow', 'expect: [pump-7 publish a]', /is no expectation/],
    ['an expectation that says how but not what', 'expect: [{when: {tls: "1.2"}}]', /both `when` and `that`/],
    [
      'a connection with a word that there is not',
      'expect: [{when: {sorce: 10.0.0.1}, that: "a connect => deny"}]',
      /"sorce" is not known in a connection; did you mean "source"\?/,
    ],
    [
      'a network where an address belongs',
      'expect: [{when: {source: 10.0.0.0/8}, that: "a connect => deny"}]',
      /^1:26 "10.0.0.0\/8" is no address/,
    ],
    ['a moment that is none', 'expect: [{when: {time: noon}, that: "a connect => deny"}]', /"noon" is no moment/],
    [
      'an issuer of a password',
      'expect: [{when: {proof: password, issuer: acme}, that: "a connect => deny"}]',
      /goes with the proofs issued and anchored, not with password/,
    ],
    [
      'a trust anchor without its name',
      'expect: [{when: {proof: anchored}, that: "a connect => deny"}]',
      /wants an `issuer`/,
    ],
    ['an expectation with a wildcard', 'expect: ["pump-7 publish a/# => deny"]', /wildcard/],
    ['brackets that do not end', 'roles: {', /.+/],
  ]
  for (const [what, source, words] of wrong) {
    test(`with ${what} is refused with its place`, () => {
      const [first = ''] = linesOf(source)
      assert.match(first, words)
      assert.match(first, /^\d+:\d+ /)
    })
  }

  test('has all its problems told at once', () => {
    const lines = linesOf(
      'roles:\n  r:\n    statements:\n      - allow: [pubish]\n        topics: [a]\n      - deny: [x]\nbindings:\n  - roles: [s]\n    to: everyone\n',
    )
    assert.deepEqual(
      lines.map((line) => line.split(' ')[0]),
      ['4:17', '6:16', '8:13'],
    )
  })

  test('that nests thousands deep is refused, not followed', () => {
    assert.ok(linesOf(`roles: ${'['.repeat(60_000)}`).length > 0)
  })

  test('never makes anything but problems of a text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400, unit: 'grapheme' }), (source) => {
        readPolicy(source)
      }),
    )
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.string({ maxLength: 4 }), (at, inserted) => {
        const source = whole.slice(0, at) + inserted + whole.slice(at)
        const { policy, problems } = readPolicy(source)
        if (problems.length === 0) compilePolicy(policy)
      }),
    )
  })

  test('that is a key is refused without a word of it', () => {
    const key = '-----BEGIN PRIVATE KEY-----\nMIIEvgIBADAN\n-----END PRIVATE KEY-----\n'
    assert.deepEqual(linesOf(key), ['1:1 the file holds a private key and no policy'])
  })

  test('is refused by its code', () => {
    assert.throws(
      () => parsePolicy('x: 1'),
      (error) => error instanceof HubError && error.code === 'policy-invalid',
    )
  })
})

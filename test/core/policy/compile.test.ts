/** Decisions of a compiled policy, and of the roles that are there without being written. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { parseTopicFilter, type TopicFilter } from '../../../src/core/mqtt/filter.ts'
import type { TopicName } from '../../../src/core/mqtt/topic.ts'
import { Violation } from '../../../src/core/mqtt/violation.ts'
import { compilePolicy, defaultPolicy } from '../../../src/core/policy/compile.ts'
import type { Binding, Policy, Role, Statement } from '../../../src/core/policy/model.ts'
import type { Action, Rights, Subject } from '../../../src/core/policy/rights.ts'
import { subject } from '../../support/subjects.ts'

const place = { line: 7, column: 3 }
const noonMs = Date.UTC(2026, 10, 25, 12)

function statement(
  effect: 'allow' | 'deny',
  actions: readonly Action[],
  topics: readonly string[],
  when = {},
): Statement {
  return { effect, actions, topics, when, place }
}

function policyOf(
  statements: readonly Statement[],
  to: Binding['to'] = { kind: 'everyone' },
  rest: Partial<Role> = {},
): Policy {
  const role: Role = { name: 'tested', parameters: new Map(), statements, limits: {}, ...rest }
  const bindings = [{ roles: [{ name: 'tested', parameters: new Map() }], to, place }]
  return { ...defaultPolicy, roles: new Map([['tested', role]]), bindings }
}

function bound(name: string, parameters: Readonly<Record<string, string>> = {}): Policy {
  const roles = [{ name, parameters: new Map(Object.entries(parameters)) }]
  return { ...defaultPolicy, bindings: [{ roles, to: { kind: 'everyone' }, place }] }
}

function rightsOf(policy: Policy, who: Subject, nowMs = noonMs): Rights {
  return compilePolicy(policy).rightsOf(who, nowMs)
}

const topic = (text: string): TopicName => text as TopicName
function filter(text: string): TopicFilter {
  const parsed = parseTopicFilter(text)
  assert.ok(!(parsed instanceof Violation), text)
  return parsed
}

suite('a compiled policy', () => {
  test('denies what nothing allows, and everything to whom it binds nothing', () => {
    const rights = rightsOf({ ...defaultPolicy, bindings: [] }, subject('pump-7'))
    assert.equal(rights.mayConnect(), false)
    assert.equal(rights.mayPublish(topic('devices/pump-7/x')), false)
    assert.match(rights.explain('publish', 'devices/pump-7/x').because, /no statement allows it/)
  })

  test('gives everybody what lies below devices/<id>/ where it is the default', () => {
    const rights = rightsOf(defaultPolicy, subject('pump-7'))
    assert.equal(rights.mayConnect(), true)
    assert.equal(rights.mayPublish(topic('devices/pump-7/x')), true)
    assert.equal(rights.mayPublish(topic('devices/pump-70/x')), false)
    assert.equal(rights.maySubscribe(filter('devices/pump-7/#')), true)
    assert.equal(rights.maySubscribe(filter('$share/g/devices/pump-7/+')), true)
    assert.equal(rights.maySubscribe(filter('devices/+/x')), false)
    assert.equal(rights.maySubscribe(filter('#')), false)
  })

  test('lets a deny win, wherever it stands', () => {
    const allow = statement('allow', ['publish'], ['a/#'])
    const deny = statement('deny', ['publish'], ['a/+/cmd'])
    for (const statements of [
      [allow, deny],
      [deny, allow],
    ]) {
      const rights = rightsOf(policyOf(statements), subject('pump-7'))
      assert.equal(rights.mayPublish(topic('a/b')), true)
      assert.equal(rights.mayPublish(topic('a/b/cmd')), false)
      assert.match(rights.explain('publish', 'a/b/cmd').because, /^role tested, statement [12] \(line 7\) denies it$/)
    }
  })

  test('refuses a subscription that could bring what is denied to subscribe', () => {
    const statements = [statement('allow', ['subscribe'], ['a/#']), statement('deny', ['subscribe'], ['a/secret/#'])]
    const rights = rightsOf(policyOf(statements), subject('pump-7'))
    assert.equal(rights.maySubscribe(filter('a/open/#')), true)
    assert.equal(rights.maySubscribe(filter('a/+/x')), false)
    assert.equal(rights.maySubscribe(filter('a/#')), false)
  })

  test('allows nothing by a variable that is not defined, and denies everything by one', () => {
    const site = 'sites/${identity.attr.site}/#'
    const allowed = rightsOf(policyOf([statement('allow', ['publish'], [site])]), subject('pump-7'))
    assert.equal(allowed.mayPublish(topic('sites//x')), false)
    assert.equal(allowed.mayPublish(topic('sites/berlin/x')), false)
    assert.match(allowed.explain('publish', 'sites/berlin/x').because, /a variable that this identity does not define/)
    const both = [statement('allow', ['publish'], ['#']), statement('deny', ['publish'], [site])]
    assert.equal(rightsOf(policyOf(both), subject('pump-7')).mayPublish(topic('other')), false)
    const known = subject('pump-7', { identity: { attributes: { site: 'berlin' } } })
    assert.equal(rightsOf(policyOf(both), known).mayPublish(topic('other')), true)
    assert.equal(rightsOf(policyOf(both), known).mayPublish(topic('sites/berlin/x')), false)
  })

  test('takes no client id into a topic that would reach further', () => {
    const policy = policyOf([statement('allow', ['publish'], ['c/${client.id}/x'])])
    assert.equal(rightsOf(policy, subject('pump-7', { clientId: 'one' })).mayPublish(topic('c/one/x')), true)
    for (const clientId of ['+', '#', 'a/b', '', '\u0001']) {
      const rights = rightsOf(policy, subject('pump-7', { clientId }))
      assert.equal(rights.mayPublish(topic(`c/${clientId}/x`)), false, JSON.stringify(clientId))
    }
  })

  test('opens no $-topics by a client id or an attribute, only by what the policy writes', () => {
    const policy = policyOf([statement('allow', ['publish', 'subscribe'], ['${client.id}/#', 'c/${client.id}/#'])])
    const rights = rightsOf(policy, subject('pump-7', { clientId: '$SYS' }))
    assert.equal(rights.mayPublish(topic('$SYS/broker')), false)
    assert.equal(rights.maySubscribe(filter('$SYS/#')), false)
    assert.equal(rights.mayPublish(topic('c/$SYS/x')), true)
    const written = policyOf(
      [statement('allow', ['publish'], ['${role.top}/#'])],
      { kind: 'everyone' },
      {
        parameters: new Map([['top', '$SYS']]),
      },
    )
    assert.equal(rightsOf(written, subject('pump-7')).mayPublish(topic('$SYS/broker')), true)
  })

  test('keeps $-topics from those who were not given them by name', () => {
    const rights = rightsOf(
      policyOf([statement('allow', ['subscribe', 'receive'], ['#', '+/broker'])]),
      subject('pump-7'),
    )
    assert.equal(rights.mayReceive(topic('$SYS/broker')), false)
    assert.equal(rights.maySubscribe(filter('$SYS/#')), false)
    const named = rightsOf(policyOf([statement('allow', ['subscribe', 'receive'], ['$SYS/#'])]), subject('pump-7'))
    assert.equal(named.mayReceive(topic('$SYS/broker/load')), true)
    assert.equal(named.maySubscribe(filter('$SYS/broker/+')), true)
  })

  test('binds by group, by kind and by id, and adds up what they bring', () => {
    const statements = [statement('allow', ['publish'], ['line/${identity.group}/#'])]
    const policy = policyOf(statements, { kind: 'groups', groups: ['l3'] })
    assert.equal(rightsOf(policy, subject('pump-7')).mayPublish(topic('line/l3/x')), false)
    const member = subject('pump-7', { identity: { group: 'l3' } })
    assert.equal(rightsOf(policy, member).mayPublish(topic('line/l3/x')), true)
    assert.deepEqual(compilePolicy(policy).rolesOf(member.identity), ['tested'])
    const ofKind = policyOf(statements, { kind: 'kinds', kinds: ['service'] })
    assert.equal(rightsOf(ofKind, member).mayPublish(topic('line/l3/x')), false)
    const ofId = policyOf(statements, { kind: 'identities', ids: ['pump-7'] })
    assert.equal(rightsOf(ofId, member).mayPublish(topic('line/l3/x')), true)
    assert.equal(rightsOf(ofId, subject('pump-8', { identity: { group: 'l3' } })).mayPublish(topic('line/l3/x')), false)
  })

  test('wants every condition to hold, and says which one does not', () => {
    const when = { tlsMin: '1.3', sources: ['10.0.0.0/8'], keyStorages: ['tpm'] }
    const policy = policyOf([statement('allow', ['publish'], ['a'], when)])
    const good = { identity: { keyStorage: 'tpm' } } as const
    assert.equal(rightsOf(policy, subject('pump-7', good)).mayPublish(topic('a')), true)
    const wrong: readonly (readonly [RegExp, Subject])[] = [
      [/speaks TLSv1.2/, subject('pump-7', { ...good, connection: { tlsVersion: 'TLSv1.2' } })],
      [/comes from 192.0.2.1/, subject('pump-7', { ...good, connection: { address: '192.0.2.1' } })],
      [/key storage is not known/, subject('pump-7')],
      [/key storage is software/, subject('pump-7', { ...good, credential: { keyOrigin: 'hub' } })],
    ]
    for (const [why, who] of wrong) {
      const rights = rightsOf(policy, who)
      assert.equal(rights.mayPublish(topic('a')), false)
      assert.match(rights.explain('publish', 'a').because, why)
    }
  })

  test('lets a deny hold where its condition is not known', () => {
    const statements = [
      statement('allow', ['publish'], ['#']),
      statement('deny', ['publish'], ['a'], { attributes: new Map([['zone', ['red']]]) }),
    ]
    const zone = (value: string) => subject('pump-7', { identity: { attributes: { zone: value } } })
    assert.equal(rightsOf(policyOf(statements), subject('pump-7')).mayPublish(topic('a')), false)
    assert.equal(rightsOf(policyOf(statements), zone('red')).mayPublish(topic('a')), false)
    assert.equal(rightsOf(policyOf(statements), zone('green')).mayPublish(topic('a')), true)
  })

  test('says when time alone will change it', () => {
    const daily = { fromMinute: 8 * 60, untilMinute: 12 * 60 + 10 }
    const time = { notBeforeMs: null, notAfterMs: null, daily, weekdays: [3], zone: 'UTC' }
    const policy = policyOf([statement('allow', ['publish'], ['a'], { time })])
    const rights = rightsOf(policy, subject('pump-7'))
    assert.equal(rights.mayPublish(topic('a')), true)
    assert.equal(rights.changesAtMs, noonMs + 10 * 60_000)
    assert.equal(rightsOf(policy, subject('pump-7'), noonMs + 10 * 60_000).mayPublish(topic('a')), false)
    assert.equal(rightsOf(policy, subject('pump-7'), noonMs + 86_400_000).mayPublish(topic('a')), false)
    assert.equal(rightsOf(defaultPolicy, subject('pump-7')).changesAtMs, null)
  })

  test('takes the smallest of limits, and a client id that all roles want', () => {
    const limits = { payloadBytesMax: 100, qosMax: 1, clientId: '${identity.id}' } as const
    const policy = policyOf([statement('allow', ['connect'], [])], { kind: 'everyone' }, { limits })
    const own = rightsOf(policy, subject('pump-7'))
    assert.equal(own.mayConnect(), true)
    assert.equal(own.limits.payloadBytesMax, 100)
    assert.equal(own.limits.sessionsMax, null)
    const other = rightsOf(policy, subject('pump-7', { clientId: 'mine' }))
    assert.equal(other.mayConnect(), false)
    assert.match(other.explain('connect', '').because, /wants the client id to be "pump-7"/)
  })

  test('leaves a certificate in quarantine nothing but its quarantine', () => {
    const policy = policyOf([statement('allow', ['connect', 'publish'], ['#'])])
    const held = rightsOf(policy, subject('pump-7', { credential: { state: 'quarantined' } }))
    assert.equal(held.mayConnect(), true)
    assert.equal(held.mayPublish(topic('anything')), false)
    assert.equal(held.mayPublish(topic('quarantine/pump-7/hello')), true)
  })

  test('is refused for a role, a parameter or a variable that there is not', () => {
    const refused = [
      bound('edgenode'),
      bound('edge-node', { grp: 'G1' }),
      policyOf([statement('allow', ['publish'], ['${x}'])]),
    ]
    for (const policy of refused) assert.throws(() => compilePolicy(policy), { code: 'policy-invalid' })
  })
})

suite('an edge node of Sparkplug B', () => {
  const node = rightsOf(bound('edge-node'), subject('e1', { identity: { group: 'G1' } }))

  test('speaks as itself, and leaves its death as a will', () => {
    for (const own of ['NBIRTH/e1', 'NDATA/e1', 'DBIRTH/e1/d1', 'DDATA/e1/d1', 'DDEATH/e1/d1']) {
      assert.equal(node.mayPublish(topic(`spBv1.0/G1/${own}`)), true, own)
    }
    assert.equal(node.mayLeaveWill(topic('spBv1.0/G1/NDEATH/e1')), true)
    assert.equal(node.mayRetain(topic('spBv1.0/G1/NDEATH/e1')), false)
  })

  test('speaks as no other, sends no commands and hears none of others', () => {
    for (const other of ['G1/NDATA/e2', 'G2/NDATA/e1', 'G1/DDATA/e2/d1', 'G1/NCMD/e1', 'G1/DCMD/e2/d1', 'STATE/host']) {
      assert.equal(node.mayPublish(topic(`spBv1.0/${other}`)), false, other)
    }
    assert.equal(node.mayLeaveWill(topic('spBv1.0/G1/NDEATH/e2')), false)
    for (const other of ['spBv1.0/#', 'spBv1.0/G1/NCMD/#', 'spBv1.0/G1/NCMD/+', 'spBv1.0/+/NCMD/e1']) {
      assert.equal(node.maySubscribe(filter(other)), false, other)
    }
    for (const own of [
      'spBv1.0/G1/NCMD/e1',
      'spBv1.0/G1/DCMD/e1/#',
      'spBv1.0/G1/DCMD/e1/+',
      'spBv1.0/STATE/h',
      'STATE/h',
    ]) {
      assert.equal(node.maySubscribe(filter(own)), true, own)
    }
  })

  test('without a group may do nothing', () => {
    const lost = rightsOf(bound('edge-node'), subject('e1'))
    assert.equal(lost.mayPublish(topic('spBv1.0/G1/NDATA/e1')), false)
    assert.equal(lost.mayPublish(topic('spBv1.0//NDATA/e1')), false)
  })
})

test('a host application commands its groups and keeps its own state alone', () => {
  const host = rightsOf(bound('host-application', { group: 'G1', read: 'G1/#' }), subject('scada'))
  assert.equal(host.mayPublish(topic('spBv1.0/STATE/scada')), true)
  assert.equal(host.mayRetain(topic('spBv1.0/STATE/scada')), true)
  assert.equal(host.mayPublish(topic('STATE/other')), false)
  assert.equal(host.mayPublish(topic('spBv1.0/G1/NCMD/e1')), true)
  assert.equal(host.mayPublish(topic('spBv1.0/G2/NCMD/e1')), false)
  assert.equal(host.mayPublish(topic('spBv1.0/G1/NDATA/e1')), false)
  assert.equal(host.maySubscribe(filter('spBv1.0/G1/#')), true)
  assert.equal(host.maySubscribe(filter('spBv1.0/#')), false)
})

test('a viewer reads everything of Sparkplug B and says nothing', () => {
  const viewer = rightsOf(bound('viewer'), subject('wall'))
  assert.equal(viewer.maySubscribe(filter('spBv1.0/#')), true)
  assert.equal(viewer.mayReceive(topic('spBv1.0/G1/NDATA/e1')), true)
  assert.equal(viewer.mayPublish(topic('spBv1.0/G1/NCMD/e1')), false)
})

/** The policy over the API: written down, tried, made active, taken back, asked. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { NewApiKeyView } from '../../src/api-schema/access.ts'
import type {
  ActivePolicyView,
  ActiveVersionView,
  AddedPolicyView,
  DecisionView,
  PolicyCheckView,
  PolicyListView,
  PolicyVersionView,
  PolicyView,
  ShadowDifferencesView,
} from '../../src/api-schema/policies.ts'
import { limits } from '../../src/core/limits.ts'
import type { TopicName } from '../../src/core/mqtt/topic.ts'
import { imaginedIdentity, usualSubject } from '../../src/core/policy/subjects.ts'
import { openCurrentPolicy } from '../../src/hub/current-policy.ts'
import type { ShadowDifference } from '../../src/hub/shadow-differences.ts'
import { registered } from '../support/hub-parts.ts'
import { type ApiParts, answered, apiParts, ask } from './api-parts.ts'
import { assertProblem } from './problem.ts'

const lines = (expect = 'pump-7 publish lines/l3/x => allow') => `
roles:
  liner:
    statements:
      - allow: [connect]
      - allow: [publish, subscribe, receive]
        topics: ['lines/\${identity.group}/#']
bindings:
  - { roles: [liner], to: everyone }
subjects:
  pump-7: { group: l3 }
expect:
  - ${expect}
`

const add = (api: ApiParts, source = lines(), note = '') => ask(api, 'POST', '/policies', { source, note })
const added = (api: ApiParts, source?: string) => answered<AddedPolicyView>(add(api, source), 201)
const listed = ({ warnings: _, ...version }: AddedPolicyView): PolicyVersionView => version
const check = (api: ApiParts, source: string) =>
  answered<PolicyCheckView>(ask(api, 'POST', '/policy-check', { source }))
const activate = (api: ApiParts, number: number) =>
  answered<PolicyVersionView>(ask(api, 'POST', `/policies/${number}/activate`, {}))
const explain = (api: ApiParts, question: Readonly<Record<string, string>>) =>
  ask(api, 'GET', `/decision?${new URLSearchParams(question)}`)

suite('a version of the policy', () => {
  test('is written down as a draft that decides nothing', async (t) => {
    const api = await apiParts(t)
    const draft = await added(api)
    assert.deepEqual([draft.number, draft.state, draft.activatedAt], [1, 'draft', null])
    const { items } = await answered<PolicyListView>(ask(api, 'GET', '/policies'))
    assert.deepEqual(items, [{ ...listed(draft) }])
    assert.equal((await answered<PolicyView>(ask(api, 'GET', '/policies/1'))).source, lines())
    assert.equal((await answered<ActivePolicyView>(ask(api, 'GET', '/active-policy'))).active, null)
  })

  test('is refused with every problem and its place, and nothing is left of it', async (t) => {
    const api = await apiParts(t)
    const answer = await add(api, 'roles:\n  a: {statement: []}\nbindings:\n  - {roles: [b], to: everyone}\n')
    assertProblem(answer, 400, 'policy-invalid')
    const { faults } = JSON.parse(answer.body) as { faults: unknown[] }
    assert.equal(faults.length, 2)
    assert.match(answer.body, /2:7 .*did you mean .*statements/)
    assertProblem(await add(api, lines('pump-7 publish lines/l4/x => allow')), 409, 'policy-test-failed')
    assert.deepEqual((await answered<PolicyListView>(ask(api, 'GET', '/policies'))).items, [])
  })

  test('is tested with what the registry knows rather than with what it says of its subjects', async (t) => {
    const api = await apiParts(t)
    await registered(api.hub, 'pump-7')
    assertProblem(await add(api), 409, 'policy-test-failed')
  })

  test('may be longer than other bodies, up to its own limit', async (t) => {
    const api = await apiParts(t)
    const { number } = await added(api, `${lines()}# ${'x'.repeat(100_000)}\n`)
    assert.match((await answered<PolicyView>(ask(api, 'GET', `/policies/${number}`))).source, /^\nroles:/)
    assertProblem(await add(api, `# ${'x'.repeat(limits.policyBytesMax)}\n`), 400, 'request-invalid')
  })

  test('may be longer than is read at once, and is then read and refused as any other', async (t) => {
    const api = await apiParts(t)
    const long = `${lines()}# ${'x'.repeat(limits.policyReadAtOnceBytesMax)}\n`
    await activate(api, (await added(api, long)).number)
    const decision = await answered<DecisionView>(
      explain(api, { identity: 'pump-7', action: 'publish', topic: 'lines/l4/x' }),
    )
    assert.deepEqual([decision.allowed, decision.policy], [false, 1])
    assertProblem(await add(api, long.replace('to: everyone', 'to: everybody')), 400, 'policy-invalid')
    assertProblem(await add(api, long.replace('=> allow', '=> deny')), 409, 'policy-test-failed')
  })

  test('is taken with what its author hardly meant, and told of it', async (t) => {
    const api = await apiParts(t)
    const { number, warnings } = await added(api, lines().replace("'lines/${identity.group}/#'", "'#'"))
    assert.deepEqual(
      [number, ...warnings.map(({ rule, line, column }) => `${rule} ${line}:${column}`)],
      [1, 'wide-grant 6:9'],
    )
    assert.deepEqual((await added(api)).warnings, [])
  })

  test('is looked at with whom the registry knows, and not written down', async (t) => {
    const api = await apiParts(t)
    const wide = lines().replace("'lines/${identity.group}/#'", "'#'")
    for (const id of ['pump-7', 'pump-8', 'pump-9']) await registered(api.hub, id)
    const { problems, failed, warnings } = await check(api, wide)
    assert.deepEqual([problems, failed], [[], []])
    assert.match(warnings[0]?.message ?? '', /to everyone \(3 identities\)$/)
    const [untrue] = (await check(api, lines())).failed
    assert.match(untrue?.message ?? '', /should be allowed and is denied/)
    assert.deepEqual([untrue?.line, untrue?.column], [13, 5])
    const [problem] = (await check(api, 'bindin: []')).problems
    assert.match(problem?.message ?? '', /did you mean "bindings"/)
    assert.deepEqual((await answered<PolicyListView>(ask(api, 'GET', '/policies'))).items, [])
  })

  test('is written down, tried and made active once for an idempotency key', async (t) => {
    const api = await apiParts(t)
    const twice = async <View>(path: string, body: object, status: number) => {
      const headers = { 'idempotency-key': path }
      const answers = [
        await answered<View>(ask(api, 'POST', path, body, headers), status),
        await answered<View>(ask(api, 'POST', path, body, headers), status),
      ] as const
      assert.deepEqual(answers[0], answers[1])
      return answers[0]
    }
    const { number } = await twice<AddedPolicyView>('/policies', { source: lines() }, 201)
    await twice(`/policies/${number}/shadow`, {}, 200)
    await twice(`/policies/${number}/activate`, {}, 200)
    assert.equal((await answered<PolicyListView>(ask(api, 'GET', '/policies'))).items.length, 1)
    const { items } = await answered<{ items: { act: string }[] }>(ask(api, 'GET', '/audit'))
    assert.deepEqual(
      items.map(({ act }) => act).filter((act) => act.startsWith('policy.')),
      ['policy.activate', 'policy.shadow', 'policy.add'],
    )
  })

  test('is made active, replaced, and taken back step by step to the default', async (t) => {
    const api = await apiParts(t)
    const [one, two] = [await added(api), await added(api, lines('pump-7 publish lines/l4/x => deny'))]
    await activate(api, one.number)
    await activate(api, two.number)
    const states = async () =>
      (await answered<PolicyListView>(ask(api, 'GET', '/policies'))).items.map(({ number, state }) => [number, state])
    assert.deepEqual(await states(), [
      [2, 'active'],
      [1, 'replaced'],
    ])
    const back = () => ask(api, 'POST', '/active-policy/rollback', {})
    assert.equal((await answered<ActiveVersionView>(back())).active?.number, 1)
    assert.equal((await answered<ActiveVersionView>(back())).active, null)
    assertProblem(await back(), 404, 'policy-none')
    assert.deepEqual(await states(), [
      [2, 'withdrawn'],
      [1, 'withdrawn'],
    ])
    await activate(api, two.number)
  })

  test('is tried in the shadow, where it decides nothing and tells what it would', async (t) => {
    const api = await apiParts(t)
    const policy = await openCurrentPolicy(api.hub)
    const draft = await added(api)
    await answered(ask(api, 'POST', `/policies/${draft.number}/shadow`, {}))
    await policy.refresh()
    const rights = policy.rightsOf(usualSubject(imaginedIdentity('pump-8')))
    assert.equal(rights.mayPublish('devices/pump-8/x' as TopicName), true)
    assert.equal(rights.mayPublish('devices/pump-8/x' as TopicName), true)
    const told = api.hub.log.lines.filter(({ message }) => message === 'the shadow policy decides otherwise')
    assert.equal(told.length, 1)
    assert.equal(api.hub.observer.lines.filter((line) => line === 'shadowDiffered publish deny').length, 2)
    assert.deepEqual([told[0]?.fields.active, told[0]?.fields.other], ['allow', 'deny'])
    await answered(ask(api, 'POST', '/shadow-policy/end', {}))
    assert.equal((await answered<PolicyView>(ask(api, 'GET', `/policies/${draft.number}`))).state, 'draft')
  })

  test('in the shadow is kept with what it would decide otherwise, each difference once', async (t) => {
    const api = await apiParts(t)
    const observer = {
      shadowDiffered: () => {},
      shadowFound: (difference: ShadowDifference) => api.differences.shadowFound(difference),
    }
    const draft = await added(api)
    await answered(ask(api, 'POST', `/policies/${draft.number}/shadow`, {}))
    // Two gates, as processes of their own have them.
    const policies = [
      await openCurrentPolicy({ ...api.hub, observer }),
      await openCurrentPolicy({ ...api.hub, observer }),
    ]
    for (const policy of policies) {
      const rights = policy.rightsOf(usualSubject({ ...imaginedIdentity('pump-8'), group: 'l3' }))
      for (const topic of ['devices/pump-8/x', 'devices/pump-8/x', 'lines/l3/x', 'lines/l4/x']) {
        rights.mayPublish(topic as TopicName)
      }
    }
    const path = `/policies/${draft.number}/differences`
    const { items, more } = await answered<ShadowDifferencesView>(ask(api, 'GET', path))
    assert.equal(more, 0)
    assert.deepEqual(
      items.map(({ identity, action, topic, active, decided, would }) => [
        ...[identity, action, topic, active, decided, would],
      ]),
      [
        ['pump-8', 'publish', 'devices/pump-8/x', null, 'allow', 'deny'],
        ['pump-8', 'publish', 'lines/l3/x', null, 'deny', 'allow'],
      ],
    )
    assert.match(items[0]?.because ?? '', /role own-topics, statement 2 allows it/)
    assert.match(items[1]?.wouldBecause ?? '', /role liner, statement 2 .* allows it/)
    assertProblem(await ask(api, 'GET', '/policies/77/differences'), 404, 'policy-not-found')
  })

  test('cannot be its own shadow', async (t) => {
    const api = await apiParts(t)
    const { number } = await added(api)
    await activate(api, number)
    assertProblem(await ask(api, 'POST', `/policies/${number}/shadow`, {}), 409, 'policy-state')
    assertProblem(await ask(api, 'POST', '/policies/77/activate', {}), 404, 'policy-not-found')
    assertProblem(await ask(api, 'GET', '/policies/0'), 400, 'request-invalid')
  })
})

suite('a question to the policy', () => {
  test('is answered with the statement that decides', async (t) => {
    const api = await apiParts(t)
    await registered(api.hub, 'pump-7')
    const asked = (topic: string) =>
      answered<DecisionView>(explain(api, { identity: 'pump-7', action: 'publish', topic }))
    const own = await asked('devices/pump-7/x')
    assert.deepEqual([own.allowed, own.roles, own.policy, own.isKnown], [true, ['own-topics'], null, true])
    assert.match(own.because, /role own-topics, statement 2 allows it/)
    assert.equal((await asked('devices/pump-8/x')).allowed, false)
    const stranger = await answered<DecisionView>(explain(api, { identity: 'nobody', action: 'connect' }))
    assert.deepEqual([stranger.allowed, stranger.isKnown], [true, false])
  })

  test('is refused where it asks about nothing', async (t) => {
    const api = await apiParts(t)
    for (const question of [
      { identity: 'pump-7', action: 'publish', topic: 'a/#' },
      { identity: 'pump-7', action: 'publish', topic: '' },
      { identity: 'pump-7', action: 'connect', topic: 'a' },
      { identity: 'pump-7', action: 'shout', topic: 'a' },
    ]) {
      assertProblem(await explain(api, question), 400, 'request-invalid')
    }
    assertProblem(await explain(api, { identity: 'a b', action: 'connect' }), 400, 'identity-id-invalid')
  })

  test('of an owner tells nothing of the devices of others', async (t) => {
    const api = await apiParts(t)
    for (const [id, group] of [
      ['own', 'line-1'],
      ['foreign', 'line-2'],
    ]) {
      await answered(ask(api, 'POST', '/devices', { id, group, attributes: { site: 'vault-9' } }), 201)
    }
    const statement = '{ allow: [publish], topics: [x], when: { attributes: { site: hall-2 } } }'
    const source = `roles: { r: { statements: [${statement}] } }\nbindings: [{ roles: [r], to: everyone }]\n`
    await activate(api, (await added(api, source)).number)
    const owner = { name: 'o', role: 'owner', groups: ['line-1'] }
    const { secret } = await answered<NewApiKeyView>(ask(api, 'POST', '/keys', owner), 201)
    const asOwner = (identity: string) =>
      answered<DecisionView>(explain({ ...api, key: secret }, { identity, action: 'publish', topic: 'x' }))
    const [own, foreign] = [await asOwner('own'), await asOwner('foreign')]
    assert.match(own.because, /vault-9/)
    assert.equal(own.isKnown, true)
    assert.doesNotMatch(JSON.stringify(foreign), /vault-9|line-2/)
    assert.equal(foreign.isKnown, false)
  })
})

import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import type { Credential } from '../../../src/core/identity/credential.ts'
import { parseIdentityId } from '../../../src/core/identity/id.ts'
import type { Identity } from '../../../src/core/identity/identity.ts'
import { matches, parseTopicFilter, type TopicFilter, unwrapShared } from '../../../src/core/mqtt/filter.ts'
import { parseTopicName, type TopicName } from '../../../src/core/mqtt/topic.ts'
import { Violation } from '../../../src/core/mqtt/violation.ts'
import { defaultRights, type Rights } from '../../../src/core/policy/rights.ts'

const id = parseIdentityId('pump-7')

function rightsIn(state: Credential['state']): Rights {
  const [identity, credential] = [{ id } as Identity, { state } as Credential]
  return defaultRights({ identity, proof: { kind: 'issued', credential } })
}

const rights = rightsIn('active')

function topic(value: string): TopicName {
  const parsed = parseTopicName(value)
  assert.ok(!(parsed instanceof Violation), value)
  return parsed
}
function filter(value: string): TopicFilter {
  const parsed = parseTopicFilter(value)
  assert.ok(!(parsed instanceof Violation), value)
  return parsed
}

suite('the default rights of pump-7', () => {
  test('allow every act below devices/pump-7/', () => {
    for (const name of ['devices/pump-7/x', 'devices/pump-7/a/b', 'devices/pump-7/']) {
      assert.ok(rights.mayPublish(topic(name)), name)
      assert.ok(rights.mayReceive(topic(name)), name)
      assert.ok(rights.mayLeaveWill(topic(name)), name)
    }
    for (const name of ['devices/pump-7/#', 'devices/pump-7/+/x', '$share/g/devices/pump-7/#']) {
      assert.ok(rights.maySubscribe(filter(name)), name)
    }
  })

  test('allow nothing else, however close its name', () => {
    for (const name of [
      'devices/pump-7',
      'devices/pump-70/x',
      'devices/pump-8/x',
      '/devices/pump-7/x',
      'Devices/pump-7/x',
    ]) {
      assert.equal(rights.mayPublish(topic(name)), false, name)
      assert.equal(rights.mayReceive(topic(name)), false, name)
    }
    for (const name of [
      '#',
      '+/pump-7/x',
      'devices/+/x',
      'devices/#',
      '$SYS/#',
      '$share/g/#',
      '$share/devices/pump-7/x/#',
    ]) {
      assert.equal(rights.maySubscribe(filter(name)), false, name)
    }
  })

  test('never allow a filter that matches a topic of another device', () => {
    const level = fc.constantFrom('devices', 'pump-7', 'pump-8', '+', 'x', '$share')
    const anyFilter = fc
      .tuple(fc.array(level, { minLength: 1, maxLength: 5 }), fc.boolean())
      .map(([levels, all]) => parseTopicFilter([...levels, ...(all ? ['#'] : [])].join('/')))
      .filter((parsed) => !(parsed instanceof Violation))
    fc.assert(
      fc.property(anyFilter, fc.array(fc.constantFrom('devices', 'pump-8', 'x'), { maxLength: 3 }), (asked, rest) => {
        const foreign = topic(['devices', 'pump-8', ...rest].join('/'))
        assert.ok(!(rights.maySubscribe(asked as TopicFilter) && matches(unwrapShared(asked as TopicFilter), foreign)))
      }),
    )
  })
})

suite('the rights of a credential of pump-7 in quarantine', () => {
  const held = rightsIn('quarantined')

  test('are what lies below quarantine/pump-7/', () => {
    assert.ok(held.mayPublish(topic('quarantine/pump-7/hello')))
    assert.ok(held.mayReceive(topic('quarantine/pump-7/a/b')))
    assert.ok(held.mayLeaveWill(topic('quarantine/pump-7/gone')))
    assert.ok(held.maySubscribe(filter('quarantine/pump-7/#')))
  })

  test('are nothing of what the device has, nor of another quarantine', () => {
    for (const name of ['devices/pump-7/x', 'quarantine/pump-8/x', 'quarantine/pump-70/x', 'x']) {
      assert.ok(!held.mayPublish(topic(name)), name)
      assert.ok(!held.mayReceive(topic(name)), name)
      assert.ok(!held.mayLeaveWill(topic(name)), name)
      assert.ok(!held.maySubscribe(filter(name)), name)
    }
    for (const name of ['#', 'devices/pump-7/#', 'quarantine/#', 'quarantine/+/x', '$share/g/devices/pump-7/#']) {
      assert.ok(!held.maySubscribe(filter(name)), name)
    }
  })

  test('are nothing of what a device in good standing has, and the other way round', () => {
    assert.ok(!rights.mayPublish(topic('quarantine/pump-7/x')))
    assert.ok(!rights.maySubscribe(filter('quarantine/pump-7/#')))
  })
})

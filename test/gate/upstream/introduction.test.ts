import assert from 'node:assert/strict'
import { test } from 'node:test'
import mqtt, { type IConnectPacket } from 'mqtt-packet'
import { parseConnect } from '../../../src/core/mqtt/connect.ts'
import { Violation } from '../../../src/core/mqtt/violation.ts'
import { Secret } from '../../../src/core/secret.ts'
import { type Introduction, introduce } from '../../../src/gate/upstream/remote/introduction.ts'

const anonymous: Introduction = { login: null, clientIds: 'prefixed' }

function introduced(change: Partial<IConnectPacket>, introduction: Introduction, owner = 'pump-7'): IConnectPacket {
  const protocolVersion = change.protocolVersion ?? 5
  const packet = {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion,
    clean: true,
    keepalive: 60,
    clientId: 'c',
    ...change,
  }
  const connect = parseConnect(mqtt.generate(packet as IConnectPacket, { protocolVersion }))
  if (connect instanceof Violation) assert.fail(connect.sentence)
  const { clientId, keepAliveSec } = connect
  const hello = introduce({ identityId: 'pump-7', owner, clientId, connect, keepAliveSec }, introduction)
  let read: IConnectPacket | null = null
  const parser = mqtt.parser({ protocolVersion })
  parser.on('packet', (packet) => {
    read = packet as IConnectPacket
  })
  parser.parse(hello)
  return read ?? assert.fail('it is no CONNECT')
}

test('the identity is in front of the client id and is the user name, where the gate has no login', () => {
  for (const protocolVersion of [4, 5] as const) {
    const { clientId, username, password } = introduced(
      { protocolVersion, username: 'admin', password: Buffer.from('x') },
      anonymous,
    )
    assert.deepEqual([clientId, username, password ?? null], ['pump-7/c', 'pump-7', null])
  }
})

test('the login of the gate stands in place of any that the client sent', () => {
  const login = { username: 'gate', password: new Secret('secret of the gate') }
  const { username, password } = introduced({ username: 'admin', password: Buffer.from('x') }, { ...anonymous, login })
  assert.equal(username, 'gate')
  assert.equal(password?.toString(), 'secret of the gate')
})

test('user properties say who it is, and copies that the client wrote itself are taken out, of CONNECT and will', () => {
  const forged = { 'handfast-identity': 'boss', 'Handfast-Client-Id': 'boss', site: 'berlin' }
  const will = {
    topic: 't',
    payload: Buffer.from('w'),
    qos: 0,
    retain: false,
    properties: { userProperties: forged },
  } as const
  const packet = introduced({ properties: { userProperties: forged }, will }, anonymous)
  const expected = { site: 'berlin', 'handfast-identity': 'pump-7', 'handfast-client-id': 'c' }
  assert.deepEqual({ ...packet.properties?.userProperties }, expected)
  assert.deepEqual({ ...packet.will?.properties?.userProperties }, expected)
})

test('where client ids go on as they are, only that of the identity does', () => {
  const own: Introduction = { ...anonymous, clientIds: 'own' }
  assert.equal(introduced({ clientId: 'pump-7' }, own).clientId, 'pump-7')
  assert.throws(() => introduced({ clientId: 'pump-8' }, own), { code: 'client-id-not-identity' })
  assert.equal(introduced({ clientId: 'pump-7' }, own, 'quarantine:pump-7').clientId, 'quarantine:pump-7/pump-7')
})

/** Well-formed packets of all kinds and versions, written by mqtt-packet: what the mutations start from. */
import { generate, type Packet } from 'mqtt-packet'
import type { Seeded } from './seeded.ts'

/** Protocol levels of MQTT 3.1, 3.1.1 and 5. */
export type Level = 3 | 4 | 5

const topics = [
  'devices/pump-7/a',
  'devices/pump-7/messages/events/',
  'devices/pump-7/ä/€/𝄞',
  'devices/pump-7//x',
  'devices/pump-8/a',
  'devices/pump-70/a',
  'other',
  '$SYS/broker/uptime',
  '/',
]
const filters = [
  ...topics,
  'devices/pump-7/#',
  'devices/pump-7/+/x',
  'devices/+/a',
  '#',
  '+/+',
  '$share/g/devices/pump-7/#',
  '$share/g/#',
]
const kinds = [
  ...Array.from({ length: 8 }, () => 'publish'),
  ...Array.from({ length: 4 }, () => 'subscribe'),
  ...['unsubscribe', 'unsubscribe', 'puback', 'pubrec', 'pubrel', 'pubrel', 'pubcomp', 'pingreq', 'pingreq'],
  ...['disconnect', 'auth', 'connect', 'connack', 'suback', 'unsuback', 'pingresp'],
]

/** @param name the client id, mostly */
export function connectPacket(random: Seeded, level: Level, name: string): Buffer {
  const clientId = random.chance(0.9) ? name : random.pick(['shared', 'ünï', 'x'.repeat(300), level === 3 ? 'x' : ''])
  const will = {
    topic: random.pick(topics),
    payload: random.bytes(1 + random.below(20)),
    qos: random.below(3),
    retain: random.chance(0.3),
  }
  return encoded(
    {
      cmd: 'connect',
      protocolId: level === 3 ? 'MQIsdp' : 'MQTT',
      protocolVersion: level,
      clientId,
      clean: clientId === '' || random.chance(0.7),
      keepalive: random.pick([0, 1, 60, 65_535]),
      ...(random.chance(0.2) ? { username: 'user', password: Buffer.from('secret') } : {}),
      ...(random.chance(0.2) ? { will: { ...will, topic: 'devices/pump-7/gone' } } : {}),
      ...(random.chance(0.05) ? { will } : {}),
      ...(level === 5 ? { properties: connectProperties(random) } : {}),
    },
    level,
  )
}

export function sessionPacket(random: Seeded, level: Level): Buffer {
  const cmd = random.pick(kinds)
  const messageId = 1 + random.below(random.chance(0.8) ? 8 : 65_535)
  switch (cmd) {
    case 'connect':
      return connectPacket(random, level, 'again')
    case 'publish': {
      const qos = random.below(3)
      const payload = random.bytes(random.below(random.chance(0.95) ? 100 : 3_000))
      const flags = { retain: random.chance(0.2), dup: qos > 0 && random.chance(0.2) }
      const properties = level === 5 && random.chance(0.5) ? { properties: messageProperties(random) } : {}
      return encoded({ cmd, topic: random.pick(topics), payload, qos, messageId, ...flags, ...properties }, level)
    }
    case 'subscribe': {
      const subscriptions = some(random, 6, () => ({
        topic: random.pick(filters),
        qos: random.below(3),
        ...(level === 5 ? { nl: random.chance(0.2), rap: random.chance(0.2), rh: random.below(3) } : {}),
      }))
      const properties = { subscriptionIdentifier: 1 + random.below(300), userProperties: { a: 'b' } }
      return encoded({ cmd, messageId, subscriptions, ...(random.chance(0.3) ? { properties } : {}) }, level)
    }
    case 'unsubscribe':
      return encoded({ cmd, messageId, unsubscriptions: some(random, 4, () => random.pick(filters)) }, level)
    case 'suback':
    case 'unsuback':
      return encoded({ cmd, messageId, granted: some(random, 3, () => random.below(3)) }, level)
    case 'connack':
      return encoded({ cmd, returnCode: 0, reasonCode: 0, sessionPresent: false }, level)
    case 'auth':
      return encoded({ cmd, reasonCode: random.pick([0, 0x18, 0x19]) }, 5)
    case 'disconnect': {
      const properties = { sessionExpiryInterval: random.below(3), reasonString: 'bye' }
      return encoded({ cmd, reasonCode: random.pick([0, 4]), ...(random.chance(0.5) ? { properties } : {}) }, level)
    }
    default: {
      const properties = { reasonString: 'so', userProperties: { a: ['b', 'c'] } }
      return encoded({ cmd, messageId, reasonCode: 0, ...(random.chance(0.3) ? { properties } : {}) }, level)
    }
  }
}

function connectProperties(random: Seeded): object {
  return {
    ...(random.chance(0.5) ? { sessionExpiryInterval: random.below(100) } : {}),
    ...(random.chance(0.3) ? { receiveMaximum: 1 + random.below(100) } : {}),
    ...(random.chance(0.2) ? { maximumPacketSize: random.pick([20, 200, 70_000]) } : {}),
    ...(random.chance(0.3) ? { topicAliasMaximum: random.below(20) } : {}),
    ...(random.chance(0.3) ? { requestProblemInformation: random.chance(0.5) } : {}),
    ...(random.chance(0.3) ? { userProperties: { a: 'b', c: ['d', 'e'] } } : {}),
    ...(random.chance(0.02) ? { authenticationMethod: 'SCRAM' } : {}),
  }
}

function messageProperties(random: Seeded): object {
  return {
    ...(random.chance(0.4) ? { topicAlias: 1 + random.below(20) } : {}),
    ...(random.chance(0.3) ? { responseTopic: random.pick(topics) } : {}),
    ...(random.chance(0.3) ? { correlationData: random.bytes(random.below(10)) } : {}),
    ...(random.chance(0.3) ? { messageExpiryInterval: random.below(100) } : {}),
    ...(random.chance(0.3) ? { payloadFormatIndicator: random.chance(0.5) } : {}),
    ...(random.chance(0.3) ? { contentType: 'text/plain' } : {}),
    ...(random.chance(0.3) ? { userProperties: { a: 'ß', c: ['d', 'e'] } } : {}),
    ...(random.chance(0.1) ? { userProperties: { 'handfast-identity': 'pump-8', a: 'b' } } : {}),
  }
}

function some<T>(random: Seeded, most: number, make: () => T): T[] {
  return Array.from({ length: 1 + random.below(most) }, make)
}

function encoded(packet: object, level: Level): Buffer {
  const bytes = generate(packet as Packet, { protocolVersion: level })
  // Of its own, since mutations write into it.
  return Buffer.from(bytes)
}

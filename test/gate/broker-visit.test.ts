/** Short connections in the name of a client, with a broker that is not ours. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { limits } from '../../src/core/limits.ts'
import { type Connect, encodeConnect, parseConnect } from '../../src/core/mqtt/connect.ts'
import { u32Property } from '../../src/core/mqtt/encoding.ts'
import { property } from '../../src/core/mqtt/properties.ts'
import { Violation } from '../../src/core/mqtt/violation.ts'
import { discardSession, resumeSession } from '../../src/gate/broker-visit.ts'
import { findMosquitto } from '../../src/gate/upstream/managed/find-mosquitto.ts'
import { startManagedMosquitto } from '../../src/gate/upstream/managed/managed-mosquitto.ts'
import { systemRandom as random } from '../../src/machine/system.ts'
import { UpstreamClient } from '../contract/upstream-client.ts'

const log = { debug() {}, info() {}, warn() {}, error() {} }
const program = findMosquitto(process.env.PATH ?? '')
const skip = typeof program === 'string' ? program : false
const folder = mkdtempSync(join(tmpdir(), 'hf-visit-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const expiring = { properties: { sessionExpiryInterval: 600 } }

/** A CONNECT of a client that keeps its session, as the gate has read it. */
function keeping(): Connect {
  const properties = [u32Property(property.sessionExpiry, 600)]
  const packet = encodeConnect(
    { version: 5, cleanStart: false, will: null, properties },
    { clientId: 'x', keepAliveSec: 0 },
  )
  const connect = parseConnect(packet)
  if (connect instanceof Violation) throw new Error(connect.sentence)
  return connect
}

async function mosquitto(name: string) {
  if (typeof program === 'string') throw new Error(program)
  const upstream = await startManagedMosquitto({ program, folder: join(folder, name), random, log })
  after(() => upstream.stop())
  return upstream
}

/** As clients of the contract are named to an upstream. */
function names(clientId: string) {
  return { identityId: 'tester', owner: 'tester', clientId }
}

test('Mosquitto forgets a will that waits, and keeps the session with what waits in it', {
  skip,
  timeout: 30_000,
}, async () => {
  const upstream = await mosquitto('resumed')
  const witness = new UpstreamClient(upstream, 5)
  await witness.connect({ clientId: 'witness' })
  await witness.subscribe('wills/+', 1)
  const leave = async (clientId: string): Promise<void> => {
    const client = new UpstreamClient(upstream, 5)
    const will = { topic: `wills/${clientId}`, payload: Buffer.from('x'), qos: 1, retain: false } as const
    const waiting = { ...will, properties: { willDelayInterval: 1 } }
    await client.connect({ clientId, clean: false, ...expiring, will: waiting })
    await client.subscribe('kept', 1)
    client.connection.close()
  }
  await leave('taken-back')
  assert.equal(await resumeSession({ upstream, limits }, names('taken-back'), keeping()).outcome, null)
  await leave('sent')
  await witness.publish('kept', 'waits', { qos: 1 })
  // The one that was taken back would have come before.
  assert.equal((await witness.receive()).topic, 'wills/sent')
  const back = new UpstreamClient(upstream, 5)
  const connack = await back.connect({ clientId: 'taken-back', clean: false, ...expiring })
  assert.equal(connack.sessionPresent, true)
  assert.equal((await back.receive()).payload.toString(), 'waits')
})

test('Mosquitto drops a session with the message in it that waits for its release', {
  skip,
  timeout: 30_000,
}, async () => {
  const upstream = await mosquitto('dropped')
  const witness = new UpstreamClient(upstream, 5)
  await witness.connect({ clientId: 'witness' })
  await witness.subscribe('line/+', 2)
  const writer = new UpstreamClient(upstream, 5)
  await writer.connect({ clientId: 'writer', clean: false, ...expiring })
  writer.send({ ...{ cmd: 'publish', topic: 'line/1', payload: 'x', qos: 2 }, messageId: 7, dup: false, retain: false })
  await writer.next('pubrec')
  writer.connection.close()
  assert.equal(await discardSession({ upstream, limits }, names('writer'), keeping()).outcome, null)
  const back = new UpstreamClient(upstream, 5)
  assert.equal((await back.connect({ clientId: 'writer', clean: false, ...expiring })).sessionPresent, false)
  back.send({ cmd: 'pubrel', messageId: 7 })
  await back.next('pubcomp')
  await back.publish('line/2', 'later', { qos: 1 })
  assert.equal((await witness.receive()).topic, 'line/2')
})

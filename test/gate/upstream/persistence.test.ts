import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../../src/core/limits.ts'
import type { Message } from '../../../src/gate/upstream/embedded/aedes-types.ts'
import { brokerLimits } from '../../../src/gate/upstream/embedded/broker-limits.ts'
import { keptSessionMarker, Persistence } from '../../../src/gate/upstream/embedded/persistence.ts'
import { type Server, Sessions } from '../../../src/gate/upstream/embedded/sessions.ts'

const message = (topic: string, payload: Buffer): Message => ({
  topic,
  payload,
  qos: 1,
  retain: false,
  brokerId: 'b',
  brokerCounter: 1,
})

class FakeServer implements Server {
  isOpen = true
  isLasting = true
  pumps = 0
  cuts = 0
  pump(): void {
    this.pumps++
  }
  cutOff(): void {
    this.cuts++
  }
}

/** A session whose client is away and wants "t". */
async function away(sessions: Sessions, persistence: Persistence, id: string): Promise<void> {
  const server = new FakeServer()
  sessions.attach(id, server)
  await persistence.addSubscriptions({ id }, [{ topic: 't', qos: 1 }])
  sessions.detach(id, server)
}

function retained(persistence: Persistence): Promise<Message[]> {
  return persistence.createRetainedStreamCombi(['#']).toArray() as Promise<Message[]>
}

test('a kept payload is a copy that does not hold the buffer it came in', async () => {
  const sessions = new Sessions()
  const persistence = new Persistence(sessions)
  await away(sessions, persistence, 'c')
  const batch = Buffer.from(new ArrayBuffer(64 * 1024))
    .subarray(10, 14)
    .fill(7)
  const will = { payload: batch as Buffer | string }
  await persistence.storeRetained(message('t', batch))
  await persistence.outgoingEnqueueCombi([], message('t', batch))
  await persistence.putWill({ id: 'c' }, will)
  assert.equal(
    await persistence.delWill({ id: 'c' }),
    will,
    'a will stays the object that the broker goes on to fill in',
  )
  const queued = sessions.find('c')?.outbox.next(0, true)?.delivery
  for (const payload of [will.payload, (await retained(persistence))[0]?.payload, queued?.payload]) {
    assert.ok(Buffer.isBuffer(payload))
    assert.deepEqual(payload, batch)
    assert.equal(payload.buffer.byteLength, 4)
  }
})

test('retained messages end at the limits of who published them, known topics are replaced, and removal makes room', async () => {
  const persistence = new Persistence(new Sessions())
  const topics = async () => (await retained(persistence)).map(({ topic }) => topic)
  const half = Buffer.alloc(brokerLimits.retainedBytesPerIdentityMax / 2 - 2_000)
  const rest = Buffer.alloc(4_000)
  await persistence.storeRetained(message('a', half))
  await persistence.storeRetained(message('b', half))
  await persistence.storeRetained(message('c', rest))
  assert.deepEqual(await topics(), ['a', 'b'])
  await persistence.storeRetained({ ...message('other', rest), clientId: 'pump-8/x' })
  assert.deepEqual(await topics(), ['a', 'b', 'other'])
  await persistence.storeRetained(message('a', Buffer.from('2')))
  await persistence.storeRetained(message('c', Buffer.from('1')))
  await persistence.storeRetained(message('b', Buffer.alloc(0)))
  await persistence.storeRetained(message('never there', Buffer.alloc(0)))
  await persistence.storeRetained(message('d', half))
  assert.deepEqual(await topics(), ['other', 'a', 'c', 'd'])
  for (let n = 0; n <= brokerLimits.retainedPerIdentityMax; n++) {
    await persistence.storeRetained({ ...message(`n/${n}`, Buffer.from('1')), clientId: 'pump-9/x' })
  }
  assert.equal((await topics()).length, 4 + brokerLimits.retainedPerIdentityMax)
})

test('an identity keeps a bounded number of sessions, and one more ends with its connection', () => {
  const sessions = new Sessions()
  const server = () => ({ isOpen: true, isLasting: true, pump() {}, cutOff() {} })
  const count = brokerLimits.sessionsPerIdentityMax
  for (let n = 0; n <= count; n++) {
    const own = server()
    sessions.attach(`pump-7/${n}`, own)
    sessions.detach(`pump-7/${n}`, own)
  }
  const other = server()
  sessions.attach('pump-8/a', other)
  sessions.detach('pump-8/a', other)
  assert.equal(sessions.isKept(`pump-7/${count - 1}`), true)
  assert.equal(sessions.isKept(`pump-7/${count}`), false)
  assert.equal(sessions.isKept('pump-8/a'), true)
})

test('retained messages are found by each filter of a list, below its fixed front', async () => {
  const persistence = new Persistence(new Sessions())
  for (const topic of ['a', 'a/b', 'a/c/d', 'ab/c', '$x/a'])
    await persistence.storeRetained(message(topic, Buffer.from('1')))
  const found = (await persistence.createRetainedStreamCombi(['a/#', '+/c', 'a/b', '#', 'none']).toArray()) as Message[]
  assert.deepEqual(
    found.map(({ topic }) => topic),
    ['a', 'a/b', 'a/c/d', 'ab/c', 'a/b', 'a', 'a/b', 'a/c/d', 'ab/c'],
  )
})

test('a session whose client is away holds messages up to a limit; one whose client is there is cut off beyond it', async () => {
  const sessions = new Sessions()
  const persistence = new Persistence(sessions)
  await away(sessions, persistence, 'absent')
  const count = brokerLimits.awayMessagesMax + 5
  for (let n = 0; n < count; n++) await persistence.outgoingEnqueueCombi([], message('t', Buffer.from('x')))
  const absent = sessions.find('absent')
  assert.equal(absent?.outbox.size, brokerLimits.awayMessagesMax)
  const server = new FakeServer()
  assert.equal(sessions.attach('absent', server), absent)
  await persistence.outgoingEnqueueCombi([], message('t', Buffer.from('x')))
  assert.equal(absent?.outbox.size, brokerLimits.awayMessagesMax, 'who is there has it another way')
  const sent = absent?.outbox.next(0, true)
  await persistence.outgoingClearMessageId({ id: 'absent' }, { messageId: sent?.packetId ?? 0 })
  assert.deepEqual([absent?.outbox.size, server.pumps], [brokerLimits.awayMessagesMax - 1, 1])
  const one = sent?.delivery
  assert.ok(one !== undefined)
  for (let n = 0; n <= brokerLimits.presentMessagesMax; n++) absent?.put(one)
  assert.ok(server.cuts > 0)
})

test('a session is kept while it lasts, and only an open connection protects it from the end of an older one', async () => {
  const sessions = new Sessions()
  const persistence = new Persistence(sessions)
  const passing = Object.assign(new FakeServer(), { isLasting: false })
  sessions.attach('c', passing)
  assert.deepEqual(await persistence.subscriptionsByClient({ id: 'c' }), [])
  sessions.detach('c', passing)
  assert.equal(sessions.find('c'), undefined)

  const lasting = new FakeServer()
  const session = sessions.attach('c', lasting)
  sessions.detach('c', passing)
  assert.deepEqual(await persistence.subscriptionsByClient({ id: 'c' }), [keptSessionMarker])
  await persistence.cleanSubscriptions({ id: 'c', closed: true })
  assert.equal(sessions.find('c'), session)
  lasting.isOpen = false
  sessions.detach('c', lasting)
  await persistence.cleanSubscriptions({ id: 'c', closed: true })
  assert.equal(sessions.isKept('c'), false)
})

test('a session holds no more subscriptions than it may, and known ones are replaced', async () => {
  const sessions = new Sessions()
  const persistence = new Persistence(sessions)
  sessions.attach('c', new FakeServer())
  const max = limits.subscriptionsPerSessionMax
  const asked = Array.from({ length: max + 1 }, (_, n) => ({ topic: String(n), qos: 0 as const }))
  await persistence.addSubscriptions({ id: 'c' }, [...asked, { topic: '0', qos: 1 }])
  const held = await persistence.subscriptionsByClient({ id: 'c' })
  assert.deepEqual([held.length, held[0]?.qos], [max, 1])
})

test('a client may leave only so many messages of QoS 2 without release, and nothing is left of a client that is gone', async () => {
  const sessions = new Sessions()
  const persistence = new Persistence(sessions)
  const server = Object.assign(new FakeServer(), { isLasting: false })
  sessions.attach('c', server)
  for (let messageId = 1; messageId <= brokerLimits.unreleasedMessagesMax; messageId++) {
    await persistence.incomingStorePacket({ id: 'c' }, { messageId })
  }
  await assert.rejects(persistence.incomingStorePacket({ id: 'c' }, { messageId: 0xffff }))
  await persistence.incomingDelPacket({ id: 'c' }, { messageId: 7 })
  await assert.rejects(persistence.incomingGetPacket({ id: 'c' }, { messageId: 7 }))
  await persistence.incomingStorePacket({ id: 'c' }, { messageId: 0xffff })
  sessions.detach('c', server)
  await persistence.outgoingClearMessageId({ id: 'c' }, { messageId: 1 })
  await persistence.incomingDelPacket({ id: 'c' }, { messageId: 1 })
  assert.equal(sessions.find('c'), undefined)
})

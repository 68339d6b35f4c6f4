import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Budget, heldBytes } from '../../../src/gate/upstream/embedded/budget.ts'
import { type Delivery, Outbox } from '../../../src/gate/upstream/embedded/outbox.ts'

const delivery = (topic: string, change: Partial<Delivery> = {}): Delivery => ({
  topic,
  payload: Buffer.alloc(10),
  qos: 1,
  retain: false,
  properties: undefined,
  expiresAtMs: null,
  identifiers: [],
  onGone: null,
  ...change,
})

/** Bytes that a delivery with a topic of one character counts as. */
const unit = heldBytes(delivery('a'))

function outbox(bytesMax = 1_000_000_000, identityBytesMax = bytesMax): { box: Outbox; budget: Budget } {
  const budget = new Budget({ bytesMax, identityBytesMax })
  return { box: new Outbox(budget, 'pump-7'), budget }
}

test('one identity cannot take the room of others', () => {
  const { box, budget } = outbox(10 * unit, 2 * unit)
  const others = new Outbox(budget, 'pump-8')
  assert.deepEqual(
    ['a', 'b', 'c'].map((topic) => box.put(delivery(topic), 9)),
    [true, true, false],
  )
  assert.equal(others.put(delivery('d'), 9), true)
})

test('properties and topics count as well as payloads', () => {
  const userProperties = { key: 'x'.repeat(1_000) }
  assert.ok(heldBytes(delivery('a', { properties: { userProperties } })) > unit + 1_000)
  assert.ok(heldBytes(delivery('a'.repeat(500))) > unit + 499)
})

test('messages leave an outbox in their order, each with an identifier that is not in use', () => {
  const { box } = outbox()
  const count = 0xffff + 3
  box.put(delivery('first'), count)
  const first = box.next(0, true)
  assert.deepEqual([first?.packetId, first?.dup], [1, false])
  for (let n = 0; n < count; n++) {
    box.put(delivery(String(n)), count)
    const sent = box.next(0, true)
    assert.equal(sent?.delivery.topic, String(n))
    assert.notEqual(sent?.packetId, 1, 'the first message is not acknowledged')
    box.settle(sent?.packetId ?? 0)
  }
  assert.equal(box.unacknowledged, 1)
  assert.equal(box.hasWaiting, false)
})

test('an outbox refuses what goes beyond its count or the bytes of all, and gives everything back', () => {
  const { box, budget } = outbox(3 * unit)
  assert.deepEqual(
    ['a', 'b', 'c'].map((topic) => box.put(delivery(topic), 2)),
    [true, true, false],
  )
  const other = new Outbox(budget, 'pump-8')
  assert.deepEqual(
    ['d', 'e'].map((topic) => other.put(delivery(topic), 9)),
    [true, false],
  )
  const sent = box.next(0, true)
  assert.equal(box.put(delivery('f'), 2), false, 'what is sent and not acknowledged counts')
  box.settle(sent?.packetId ?? 0)
  assert.equal(box.put(delivery('g'), 2), true)
  box.clear()
  other.clear()
  assert.deepEqual([budget.bytes, box.size], [0, 0])
})

test('the bytes of a message count until the client has it, or until it is sent where it is not sent again', () => {
  const { box, budget } = outbox()
  for (const topic of ['k', 'n']) box.put(delivery(topic, { qos: 2 }), 9)
  const kept = box.next(0, true)
  box.next(0, false)
  assert.equal(budget.bytes, unit)
  box.release(kept?.packetId ?? 0)
  box.release(kept?.packetId ?? 0)
  assert.deepEqual([budget.bytes, box.unacknowledged], [0, 2])
  box.settle(kept?.packetId ?? 0)
  assert.deepEqual([budget.bytes, box.unacknowledged], [0, 1])
})

test('after a restart the unacknowledged come first, and only the PUBREL of what was received', () => {
  const { box } = outbox()
  for (const topic of ['a', 'b', 'c', 'd', 'e']) box.put(delivery(topic), 9)
  for (let n = 0; n < 4; n++) box.next(0, true)
  box.release(2)
  box.settle(3)
  assert.deepEqual(box.restart(), [2])
  assert.equal(box.unacknowledged, 1)
  const next = () => {
    const sent = box.next(0, true)
    return sent === null ? null : [sent.delivery.topic, sent.packetId, sent.dup]
  }
  assert.deepEqual([next(), next(), next(), next()], [['a', 1, true], ['d', 4, true], ['e', 5, false], null])
  assert.deepEqual(box.restart(), [2])
  box.settle(1)
  assert.deepEqual([next(), next(), next()], [['d', 4, true], ['e', 5, true], null])
})

test('an expired message is not sent, and whoever waits for it goes on', () => {
  const { box, budget } = outbox()
  let gone = 0
  box.put(delivery('old', { expiresAtMs: 1_000, onGone: () => gone++ }), 9)
  box.put(delivery('y', { expiresAtMs: 2_000 }), 9)
  assert.equal(box.next(1_000, true)?.delivery.topic, 'y')
  assert.deepEqual([gone, budget.bytes], [1, unit])
})

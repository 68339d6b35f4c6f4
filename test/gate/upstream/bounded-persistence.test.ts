import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  boundPersistence,
  type KeptMessage,
  type Persistence,
} from '../../../src/gate/upstream/embedded/bounded-persistence.ts'
import { brokerLimits } from '../../../src/gate/upstream/embedded/broker-limits.ts'

/** A persistence that keeps what it is given. */
class FakePersistence implements Persistence {
  readonly retained = new Map<string, KeptMessage>()
  readonly queues = new Map<string, KeptMessage[]>()
  will: KeptMessage | null = null

  async storeRetained(message: KeptMessage): Promise<void> {
    if (message.payload.length === 0) this.retained.delete(message.topic)
    else this.retained.set(message.topic, message)
  }
  async outgoingEnqueue(_recipient: { readonly clientId: string }, _message: KeptMessage): Promise<void> {
    assert.fail('the guard goes through outgoingEnqueueCombi')
  }
  async outgoingEnqueueCombi(
    recipients: readonly { readonly clientId: string }[],
    message: KeptMessage,
  ): Promise<void> {
    for (const { clientId } of recipients) this.queues.set(clientId, [...this.queue(clientId), message])
  }
  async outgoingClearMessageId(
    client: { readonly id: string },
    _message: KeptMessage,
  ): Promise<KeptMessage | undefined> {
    return this.queues.get(client.id)?.shift()
  }
  async putWill(_client: { readonly id: string }, will: KeptMessage): Promise<void> {
    this.will = will
  }
  queue(clientId: string): readonly KeptMessage[] {
    return this.queues.get(clientId) ?? []
  }
}

function bounded(isPresent: (clientId: string) => boolean = () => false): { fake: FakePersistence; drops: string[] } {
  const fake = new FakePersistence()
  const drops: string[] = []
  boundPersistence(fake, isPresent, (what) => drops.push(what))
  return { fake, drops }
}

const message = (payload: Buffer, topic = 't'): KeptMessage => ({ topic, payload })

test('a kept payload is a copy that does not hold the buffer it came in', async () => {
  const { fake } = bounded()
  const batch = Buffer.from(new ArrayBuffer(64 * 1024))
    .subarray(10, 14)
    .fill(7)
  const will = message(batch)
  await fake.storeRetained(message(batch))
  await fake.outgoingEnqueue({ clientId: 'c' }, message(batch))
  await fake.putWill({ id: 'c' }, will)
  assert.equal(fake.will, will, 'a will stays the object that the broker goes on to fill in')
  for (const kept of [fake.retained.get('t'), fake.queue('c')[0], fake.will]) {
    assert.ok(Buffer.isBuffer(kept?.payload))
    assert.deepEqual(kept.payload, batch)
    assert.equal(kept.payload.buffer.byteLength, 4)
  }
})

test('retained messages end at their limit of bytes, known topics are replaced, and removal makes room', async () => {
  const { fake, drops } = bounded()
  const half = Buffer.alloc(brokerLimits.retainedBytesMax / 2)
  await fake.storeRetained(message(half, 'a'))
  await fake.storeRetained(message(half, 'b'))
  await fake.storeRetained(message(Buffer.from('1'), 'c'))
  assert.deepEqual([[...fake.retained.keys()], drops], [['a', 'b'], ['retained']])
  await fake.storeRetained(message(Buffer.from('2'), 'a'))
  await fake.storeRetained(message(Buffer.from('1'), 'c'))
  await fake.storeRetained(message(Buffer.alloc(0), 'b'))
  await fake.storeRetained(message(Buffer.alloc(0), 'never there'))
  await fake.storeRetained(message(half, 'd'))
  assert.deepEqual([...fake.retained.keys()], ['a', 'c', 'd'])
})

test('the queue of an absent client ends at its limit, takes more when some is delivered, and others are not touched', async () => {
  const { fake, drops } = bounded((clientId) => clientId === 'present')
  const both = [{ clientId: 'absent' }, { clientId: 'present' }]
  const count = brokerLimits.awayMessagesMax + 5
  for (let n = 0; n < count; n++) await fake.outgoingEnqueueCombi(both, message(Buffer.from('x')))
  assert.equal(fake.queue('absent').length, brokerLimits.awayMessagesMax)
  assert.equal(fake.queue('present').length, count)
  assert.equal(drops.length, 5)
  await fake.outgoingClearMessageId({ id: 'absent' }, message(Buffer.alloc(0)))
  await fake.outgoingEnqueue({ clientId: 'absent' }, message(Buffer.from('x')))
  assert.equal(fake.queue('absent').length, brokerLimits.awayMessagesMax)
  assert.equal(drops.length, 5)
})

test('all queues together end at their limit of bytes, and an emptied queue gives all of its bytes back', async () => {
  const { fake, drops } = bounded()
  const half = Buffer.alloc(brokerLimits.queuedBytesMax / 2)
  for (const clientId of ['a', 'b', 'c']) await fake.outgoingEnqueue({ clientId }, message(half))
  assert.deepEqual([fake.queue('c').length, drops], [0, ['queued']])
  // What is left of a message of QoS 2 is its PUBREL, without the payload.
  fake.queues.set('a', [{ topic: 't' } as KeptMessage])
  await fake.outgoingClearMessageId({ id: 'a' }, message(Buffer.alloc(0)))
  await fake.outgoingEnqueue({ clientId: 'c' }, message(half))
  assert.equal(fake.queue('c').length, 1)
})

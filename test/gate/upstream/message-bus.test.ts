import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message } from '../../../src/gate/upstream/embedded/aedes-types.ts'
import { MessageBus } from '../../../src/gate/upstream/embedded/message-bus.ts'

type Done = (...results: readonly unknown[]) => void

test('a message reaches all whose filters match, and its sender hears when the last of them is done', () => {
  const bus = new MessageBus()
  const heard: string[] = []
  const waiting: Done[] = []
  for (const filter of ['a/+', 'a/#', 'b/#'] as const) {
    bus.on(filter, (_message, done) => {
      heard.push(filter)
      waiting.push(done)
    })
  }
  let settled = 0
  bus.emit(messageTo('a/x'), () => settled++)
  assert.deepEqual(heard.toSorted(), ['a/#', 'a/+'])
  waiting[0]?.()
  assert.equal(settled, 0)
  waiting[1]?.()
  assert.equal(settled, 1)
})

test('a message that nobody wants is done at once', () => {
  let settled = 0
  new MessageBus().emit(messageTo('a'), () => settled++)
  assert.equal(settled, 1)
})

test('what becomes of a receiver is not told to the sender', () => {
  const bus = new MessageBus()
  bus.on('a', (_message, done: Done) => done(new Error('drain timeout')))
  const results: unknown[] = []
  bus.emit(messageTo('a'), (...told: readonly unknown[]) => results.push(...told))
  assert.deepEqual(results, [])
})

test('a listener that was removed hears nothing, one at another filter does', () => {
  const bus = new MessageBus()
  const heard: string[] = []
  const listener = ({ topic }: Message, done: Done): void => {
    heard.push(topic)
    done()
  }
  bus.on('a', listener).on('b', listener).removeListener('a', listener)
  bus.emit(messageTo('a')).emit(messageTo('b'))
  assert.deepEqual(heard, ['b'])
})

function messageTo(topic: string): Message {
  return { topic, payload: 'x', qos: 0, retain: false, brokerId: 'b', brokerCounter: 1 }
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeFrame, FrameReader } from '../../src/link/frames.ts'
import { linkLimits } from '../../src/link/limits.ts'

test('messages come out whole and in their order, however the connection cuts them', () => {
  fc.assert(
    fc.property(fc.array(fc.object()), fc.array(fc.integer({ min: 1, max: 40 })), (messages, cuts) => {
      const sent = JSON.parse(JSON.stringify(messages)) as object[]
      const bytes = Buffer.concat(sent.map(encodeFrame))
      const reader = new FrameReader()
      const read: unknown[] = []
      let at = 0
      for (const cut of [...cuts, bytes.length]) {
        read.push(...reader.push(bytes.subarray(at, at + cut)))
        at += cut
      }
      read.push(...reader.push(bytes.subarray(at)))
      assert.deepEqual(read, sent)
    }),
  )
})

test('a length beyond the limit is refused before its bytes have come', () => {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(linkLimits.messageBytesMax + 1)
  assert.throws(() => new FrameReader().push(head), { code: 'gate-link-malformed' })
})

test('what is no JSON is refused', () => {
  const frame = encodeFrame({ kind: 'beat' })
  frame[4] = 0x7d
  assert.throws(() => new FrameReader().push(frame), { code: 'gate-link-malformed' })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { measureDenial } from '../../src/gate/publish-judgement.ts'

const bounded = { qosMax: 1, payloadBytesMax: 10 } as Parameters<typeof measureDenial>[2]

test('a message is measured by the QoS and the length that the policy lets its identity send', () => {
  assert.equal(measureDenial(1, 10, bounded), null)
  assert.equal(measureDenial(2, 10, bounded)?.code, 'publish-denied')
  const denial = measureDenial(0, 11, bounded)
  assert.equal(denial?.code, 'payload-too-large')
  assert.match(denial?.sentence ?? '', /payload of 11 bytes is longer than the 10/)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as elapse } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { writeToStream } from 'mqtt-packet'
import { fillCodecMemory } from '../../../src/gate/upstream/embedded/codec-memory.ts'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

/** Memory behind buffers, in MiB. */
function externalMebibytes(): number {
  collect()
  return process.memoryUsage().external / 1024 / 1024
}

test('messages of all lengths leave nothing behind in the codec of the embedded broker', async ({ signal }) => {
  fillCodecMemory()
  const before = externalMebibytes()
  const nowhere = { write: () => true } as unknown as NodeJS.WritableStream
  for (let length = 0; length < 16_384; length++) {
    const payload = Buffer.alloc(length)
    writeToStream({ cmd: 'publish', topic: 't', qos: 0, retain: false, dup: false, payload }, nowhere)
    // What else a broker does between two messages: the pool moves on to another slab.
    for (let i = 0; i < 40; i++) Buffer.allocUnsafe(2_000)
  }
  // It was more than a thousand. What is collected is given back by a thread of its own, soon after.
  for (let tries = 0; externalMebibytes() - before >= 64 && tries < 100; tries++) {
    await elapse(50, undefined, { signal })
  }
  assert.ok(externalMebibytes() - before < 64)
})

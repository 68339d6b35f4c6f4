import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { startDeadline } from '../../src/gate/deadline.ts'
import { PacketRun } from '../../src/gate/packet-run.ts'

suite('a deadline', () => {
  test('decades away does not fire at once, as a bare timer would', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let reached = 0
    const clock = { now: 0, nowMs: () => clock.now }
    startDeadline(clock, 2 ** 45, () => reached++)
    t.mock.timers.tick(86_400_000)
    assert.equal(reached, 0)
  })

  test('is noticed within ten minutes after the clock was set forward', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let reached = 0
    const clock = { now: 0, nowMs: () => clock.now }
    startDeadline(clock, 1e9, () => reached++)
    clock.now = 1e9
    t.mock.timers.tick(600_000)
    assert.equal(reached, 1)
    t.mock.timers.tick(1e7)
    assert.equal(reached, 1)
  })

  test('that was given up is never reached', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let reached = 0
    const clock = { now: 0, nowMs: () => clock.now }
    startDeadline(clock, 1_000, () => reached++)()
    clock.now = 2_000
    t.mock.timers.tick(600_000)
    assert.equal(reached, 0)
  })
})

test('packets that lie side by side leave as one piece, others in their order', () => {
  const sent: Buffer[] = []
  const run = new PacketRun((bytes) => sent.push(bytes))
  const chunk = Buffer.from('aabbccdd')
  run.add(chunk.subarray(0, 2))
  run.add(chunk.subarray(2, 4))
  run.add(chunk.subarray(6, 8))
  // Not from the pool of small buffers, where it might lie right behind the chunk.
  run.add(Buffer.alloc(2, 'x'))
  run.flush()
  run.flush()
  assert.deepEqual(sent.map(String), ['aabb', 'dd', 'xx'])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type CpuReading,
  cpuMicrosBetween,
  cpuMicrosOf,
  machineTime,
  memoryOf,
  readCpu,
} from '../../bench/processes.ts'

function reading(coarseMicros: number, threads: Readonly<Record<number, number>> | null): CpuReading {
  const known = threads === null ? null : new Map(Object.entries(threads).map(([id, nanos]) => [Number(id), nanos]))
  return { coarseMicros, threads: known, processes: 1 }
}

test('CPU time is read of the threads, to the nanosecond, new ones included', () => {
  const before = reading(10_000, { 1: 5_000_000, 2: 1_000_000 })
  const after = reading(20_000, { 1: 9_500_000, 2: 1_000_000, 3: 500_500 })
  assert.equal(cpuMicrosBetween(before, after), 5_000.5)
})

test('when a thread has ended, or came and went, the coarse account is taken: it loses nothing', () => {
  const before = reading(10_000, { 1: 5_000_000, 2: 1_000_000 })
  assert.equal(cpuMicrosBetween(before, reading(50_000, { 1: 9_000_000 })), 40_000)
  assert.equal(cpuMicrosBetween(before, reading(90_000, { 1: 9_000_000, 2: 1_000_000 })), 80_000)
  assert.equal(cpuMicrosBetween(reading(10_000, null), reading(30_000, null)), 20_000)
})

test('this process uses time and memory of this machine', () => {
  const before = readCpu([process.pid])
  const start = performance.now()
  let turns = 0
  while (performance.now() - start < 20) turns += 1
  assert.ok(turns > 0)
  const used = cpuMicrosBetween(before, readCpu([process.pid]))
  assert.ok(used > 0)
  assert.ok(cpuMicrosOf([process.pid]) <= machineTime().busy)
  assert.ok(memoryOf([process.pid]).rssKibibytes > 10_000)
})

test('a process that has ended costs nothing that could be read', () => {
  assert.throws(() => readCpu([2 ** 30]), /has ended/)
})

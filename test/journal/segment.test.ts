import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import type { JournalEntry } from '../../src/hub/ports/journal.ts'
import { groupLine, headerLine, readSegment, type SegmentHeader } from '../../src/journal/segment.ts'
import { fakeEntries } from './fake-entries.ts'

const header: SegmentHeader = {
  version: 1,
  journal: 'ab'.repeat(16),
  hub: 'cd'.repeat(32),
  segment: 1,
  place: 0,
  event: 0,
  previous: '0'.repeat(64),
  startedAtMs: 5,
}

const groups: readonly (readonly JournalEntry[])[] = [
  fakeEntries(1, 1),
  fakeEntries(2, 4),
  fakeEntries(6, 1),
  fakeEntries(7, 3),
]

function segmentBytes(): { readonly bytes: Buffer; readonly ends: readonly number[] } {
  let { bytes, hash } = headerLine(header)
  const ends = [bytes.length]
  for (const group of groups) {
    const line = groupLine(hash, group)
    bytes = Buffer.concat([bytes, line.bytes])
    hash = line.hash
    ends.push(bytes.length)
  }
  return { bytes: Buffer.from(bytes), ends }
}

test('a segment is read as it was written', () => {
  const { bytes } = segmentBytes()
  const segment = readSegment('s', bytes)
  assert.deepEqual(segment?.groups, groups)
  assert.deepEqual(segment?.header, header)
  assert.equal(segment?.tornBytes, 0)
})

test('a line is checked with sha256sum alone: the hash before it, a line feed, the JSON', () => {
  const [first = '', second = ''] = segmentBytes().bytes.toString('utf8').split('\n')
  const text = `${first.slice(0, 64)}\n${second.slice(65)}`
  assert.equal(createHash('sha256').update(text).digest('hex'), second.slice(0, 64))
})

test('every prefix of the bytes is a prefix of the groups, and says how much of it is whole', () => {
  const { bytes, ends } = segmentBytes()
  for (let length = 0; length <= bytes.length; length++) {
    const whole = ends.filter((end) => end <= length)
    const segment = readSegment('s', bytes.subarray(0, length))
    if (whole.length === 0) {
      assert.equal(segment, null)
      continue
    }
    assert.deepEqual(segment?.groups, groups.slice(0, whole.length - 1))
    assert.equal(segment?.wholeBytes, whole.at(-1))
    assert.equal(segment?.tornBytes, length - (whole.at(-1) ?? 0))
  }
})

test('a changed byte is damage in a line with another behind it, and a crash in the last line', () => {
  const { bytes, ends } = segmentBytes()
  const [lastStart = 0] = ends.slice(-2)
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ change
      // Another number of lines is another story: which of them is the last is not known.
      fc.pre(at !== lastStart - 1 && changed[at] !== 10)
      if (at < lastStart) assert.throws(() => readSegment('s', changed), { code: 'journal-damaged' })
      else assert.deepEqual(readSegment('s', changed)?.groups, groups.slice(0, -1))
    }),
    { numRuns: 2_000 },
  )
})

test('lines that are left out, doubled or exchanged are damage', () => {
  const { bytes, ends } = segmentBytes()
  const lines = [0, ...ends].map((start, index) => bytes.subarray(start, ends[index] ?? bytes.length))
  const orders = [
    [0, 2, 3, 4],
    [0, 1, 1, 2],
    [0, 2, 1, 3],
    [1, 2, 3],
  ]
  for (const order of orders) {
    const mixed = Buffer.concat(order.map((index) => lines[index] ?? Buffer.alloc(0)))
    assert.throws(() => readSegment('s', mixed), { code: 'journal-damaged' }, order.join())
  }
})

test('a segment of a newer format is refused by its version', () => {
  const { bytes } = headerLine({ ...header, version: 2 as 1 })
  assert.throws(() => readSegment('s', bytes), { code: 'journal-damaged', message: /version/ })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { comparisonText } from '../../bench/compare.ts'
import { result, rounds, row } from './results.ts'

const before = result([
  row('connect', [
    ['handfast', rounds(200, 210, 220)],
    ['mosquitto', rounds(100, 105, 110)],
  ]),
  row('gone', [['handfast', rounds(1)]]),
])
const after = result(
  [
    row('connect', [
      ['handfast', rounds(100, 105, 110)],
      ['mosquitto', rounds(100, 106, 110)],
    ]),
    row('new', [['handfast', rounds(1)]]),
  ],
  { commit: '89abcdef', conditions: { machine: '2 cores', load: '3.20' } },
)
const text = comparisonText({ name: 'a.json', result: before }, { name: 'b.json', result: after })

function line(beginning: RegExp): readonly string[] {
  const found = text.split('\n').find((each) => beginning.test(each))
  return (found ?? '').split('|').map((cell) => cell.trim())
}

test('each side of each row stands beside itself, with the ratio of the medians', () => {
  assert.deepEqual(line(/^\| connect/).slice(1, -1), [
    'connect',
    'µs CPU',
    'Handfast',
    '210 (200–220)',
    '105 (100–110)',
    '0.50',
  ])
})

test('a side whose rounds overlap is not told to have changed', () => {
  assert.equal(line(/\| Mosquitto/)[6], '≈ 1.01')
})

test('the ratio to a peer is compared too: it stays what it is when the machine changes', () => {
  assert.deepEqual(line(/Handfast \/ Mosquitto/).slice(4, 7), ['2.00 (2.00–2.00)', '1.00 (0.99–1.00)', '0.50'])
})

test('what the runs do not share is named: conditions, and rows of one alone', () => {
  assert.match(text, /^- load: 0\.10 → 3\.20$/m)
  assert.doesNotMatch(text, /^- machine/m)
  assert.match(text, /^- only in A: gone$/m)
  assert.match(text, /^- only in B: new$/m)
})

test('runs without a row in common are said to have none', () => {
  const other = result([row('other', [['handfast', rounds(1)]])])
  const said = comparisonText({ name: 'a', result: before }, { name: 'b', result: other })
  assert.match(said, /no row in common/)
})

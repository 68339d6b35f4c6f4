import assert from 'node:assert/strict'
import { test } from 'node:test'
import { number, printResult } from '../../bench/table.ts'
import { result, rounds, row } from './results.ts'

/** The cells of the table's lines, without its heads and its rule. */
function cells(text: string): readonly (readonly string[])[] {
  const lines = text.split('\n').filter((line) => line.startsWith('|'))
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

test('a table begins with the run and its conditions', () => {
  const lines = printResult(result([row('x', [['handfast', rounds(1)]])])).split('\n')
  assert.deepEqual(lines.slice(0, 4), [
    '- run: full, of commit 0123abcd, started 2026-11-25 08:09 UTC',
    '- machine: 2 cores',
    '- load: 0.10',
    '',
  ])
})

test('each peer has a line with its figure and the ratio to it; what they share stands once', () => {
  const text = printResult(
    result([
      row('connect', [
        ['handfast', rounds(20, 20, 20, 20, 20, 20)],
        ['mosquitto', rounds(10, 10, 10, 10, 10, 10)],
        ['cfssl', rounds(19, 20, 20, 20, 20, 21)],
      ]),
    ]),
  )
  assert.deepEqual(cells(text), [
    ['connect', 'µs CPU', '6', '20.0 (20.0–20.0)', 'Mosquitto', '10.0 (10.0–10.0)', '2.00 (2.00–2.00)', '50.0 / 100'],
    ['', '', '', '', 'cfssl', '20.0 (19.0–21.0)', '≈ 1.00 (0.95–1.05)', '50.0 / 50.0'],
  ])
})

test('a row without a peer says so', () => {
  const text = printResult(result([row('revoke', [['handfast', [{ values: [1.5], perSecond: null }]]])]))
  assert.deepEqual(cells(text), [['revoke', 'µs CPU', '1', '1.50 (1.50–1.50)', '–', '', '', '']])
})

test('every line is as wide as the others', () => {
  const text = printResult(
    result([row('a', [['handfast', rounds(1)]]), row('a longer name', [['handfast', rounds(123456)]])]),
  )
  assert.equal(
    new Set(
      text
        .split('\n')
        .filter((line) => line.startsWith('|'))
        .map((line) => line.length),
    ).size,
    1,
  )
})

test('figures have three digits that count', () => {
  assert.deepEqual([0.1234, 1.234, 12.34, 123.4, 1234.5].map(number), ['0.12', '1.23', '12.3', '123', '1235'])
})

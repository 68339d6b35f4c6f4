import assert from 'node:assert/strict'
import { test } from 'node:test'
import { besidePeers, differs, figuresOf } from '../../bench/figures.ts'
import { rounds, row } from './results.ts'

test('a ratio is taken in each round, so that a round on a busy machine weighs on both of its sides', () => {
  // In the second round everything took ten times as long; medians of the sides alone would say 300 / 20.
  const figures = figuresOf(
    row('x', [
      ['handfast', rounds(20, 300, 20)],
      ['mosquitto', rounds(10, 100, 20)],
    ]),
  )
  assert.deepEqual(figures.subject.spread, { median: 20, min: 20, max: 300 })
  assert.deepEqual(figures.peers[0]?.ratio, { median: 2, low: 1, high: 3, confidence: 0.75 })
})

test('where single events are timed, the percentile is of all of them and its spread that of the rounds', () => {
  const taken = [
    { values: [1, 2, 3], perSecond: null },
    { values: [4, 5, 60], perSecond: null },
  ]
  assert.deepEqual(figuresOf(row('x', [['handfast', taken]])).subject.spread, { median: 3.5, min: 2, max: 5 })
  assert.equal(figuresOf(row('x', [['handfast', taken]], 100)).subject.spread.median, 60)
})

test('rates are the median of the rounds that have one', () => {
  assert.equal(figuresOf(row('x', [['handfast', rounds(1, 2, 4)]])).subject.perSecond, 500)
  assert.equal(figuresOf(row('x', [['handfast', [{ values: [1], perSecond: null }]]])).subject.perSecond, null)
})

test('two sides differ only when the interval of their ratio leaves 1 out', () => {
  assert.ok(differs({ low: 1.01, high: 1.2, confidence: 0.96 }))
  assert.ok(differs({ low: 0.5, high: 0.99, confidence: 0.96 }))
  assert.ok(!differs({ low: 0.99, high: 1.2, confidence: 0.96 }))
})

test('sides with unlike numbers of rounds have no ratio', () => {
  const uneven = row('x', [
    ['handfast', rounds(1, 2)],
    ['mosquitto', rounds(1)],
  ])
  assert.throws(() => figuresOf(uneven))
})

test('each of ours stands beside the peers alone, in a row of its own', () => {
  const rows = besidePeers(
    row('connect', [
      ['handfast', rounds(20)],
      ['handfast-managed', rounds(30)],
      ['mosquitto', rounds(10)],
    ]),
  )
  assert.deepEqual(
    rows.map(({ name, series }) => [name, ...series.map(({ side }) => side)]),
    [
      ['connect', 'handfast', 'mosquitto'],
      ['connect; Mosquitto behind Handfast', 'handfast-managed', 'mosquitto'],
    ],
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Closing } from '../../bench/closing.ts'
import { inRounds } from '../../bench/measure.ts'

const sides = [{ name: 'handfast' }, { name: 'mosquitto' }, { name: 'cfssl' }] as const

test('sides take turns, every other round backwards, and the rounds that warm up are thrown away', async () => {
  const turns: string[] = []
  const series = await inRounds(sides, { warmUps: 1, rounds: 2 }, async ({ name }, round) => {
    turns.push(`${round} ${name}`)
    return { values: [turns.length], perSecond: null }
  })
  const names = sides.map(({ name }) => name)
  assert.deepEqual(turns, [
    ...names.map((name) => `0 ${name}`),
    ...names.toReversed().map((name) => `1 ${name}`),
    ...names.map((name) => `2 ${name}`),
  ])
  assert.deepEqual(
    series.map(({ side, rounds }) => [side, rounds.map(({ values }) => values[0])]),
    [
      ['handfast', [6, 7]],
      ['mosquitto', [5, 8]],
      ['cfssl', [4, 9]],
    ],
  )
})

test('what must be undone is undone backwards, past a step that fails, and at once when all is closed', async () => {
  const done: string[] = []
  const closing = new Closing()
  closing.after(() => done.push('first'))
  closing.after(() => Promise.reject(new Error('a step that is meant to fail')))
  closing.after(() => done.push('last'))
  await closing.run()
  assert.deepEqual(done, ['last', 'first'])
  closing.after(() => done.push('late'))
  assert.deepEqual(done, ['last', 'first', 'late'])
})

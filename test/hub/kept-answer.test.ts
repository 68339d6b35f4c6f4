import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inTime, keptAnswer } from '../../src/hub/kept-answer.ts'
import { noonMs, StandingClock } from '../support/hub-parts.ts'

test('an answer is made once in a while, however often it is asked for', async () => {
  const clock = new StandingClock(noonMs)
  let made = 0
  const ask = keptAnswer(clock, 1_000, async () => ++made)
  assert.deepEqual(await Promise.all([ask(), ask(), ask()]), [1, 1, 1])
  clock.advance(999)
  assert.equal(await ask(), 1)
  clock.advance(1)
  assert.equal(await ask(), 2)
  clock.advance(-3_600_000)
  assert.equal(await ask(), 3, 'a clock that was set back does not keep an answer for an hour')
})

test('a question that takes long is not asked a second time meanwhile', async () => {
  const clock = new StandingClock(noonMs)
  const waiting: ((value: string) => void)[] = []
  const ask = keptAnswer(clock, 1_000, () => new Promise<string>((resolve) => waiting.push(resolve)))
  const first = ask()
  clock.advance(5_000)
  const second = ask()
  assert.equal(waiting.length, 1)
  waiting[0]?.('late')
  assert.deepEqual(await Promise.all([first, second]), ['late', 'late'])
})

test('an answer that could not be given is not kept', async () => {
  let made = 0
  const ask = keptAnswer(new StandingClock(noonMs), 1_000, async () => {
    made += 1
    if (made === 1) throw new Error('not now')
    return made
  })
  await assert.rejects(ask(), { message: 'not now' })
  assert.equal(await ask(), 2)
})

test('work that does not end in time is given up by whoever waits', async () => {
  const late = (): Error => new Error('too late')
  await assert.rejects(inTime(new Promise(() => {}), 1, late), { message: 'too late' })
  assert.equal(await inTime(Promise.resolve('here'), 60_000, late), 'here')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { doByOne } from '../../src/hub/leased-work.ts'
import { hubParts } from '../support/hub-parts.ts'

const hourMs = 3_600_000

test('work that comes round is done by one process until that gives up its lease or falls silent', async (t) => {
  const hub = await hubParts(t)
  const done: string[] = []
  const process = (holder: string) =>
    doByOne(hub, { name: 'upkeep', holder }, hourMs, async () => void done.push(holder))
  const [one, two] = [process('one'), process('two')]
  t.after(() => Promise.all([one.stop(), two.stop()]))

  assert.deepEqual(await Promise.all([one.round(), two.round()]), [true, false])
  hub.clock.advance(2 * hourMs)
  assert.equal(await one.round(), true, 'its own lease is renewed')
  hub.clock.advance(2 * hourMs)
  assert.equal(await two.round(), false)
  hub.clock.advance(hourMs)
  assert.equal(await two.round(), true, 'one has said nothing for three rounds')
  assert.equal(await one.round(), false)
  await two.stop()
  assert.equal(await one.round(), true, 'two has given it back')
  assert.deepEqual(done, ['one', 'one', 'two', 'one'])
})

test('work that fails is logged and comes round again', async (t) => {
  const hub = await hubParts(t)
  let tries = 0
  const work = doByOne(hub, { name: 'upkeep', holder: 'one' }, hourMs, async () => {
    if (++tries === 1) throw new Error('no')
  })
  t.after(work.stop)
  assert.equal(await work.round(), false)
  assert.deepEqual(
    hub.log.lines.map(({ level }) => level),
    ['error'],
  )
  assert.equal(await work.round(), true)
})

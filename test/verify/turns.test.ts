/** Turns for questions: many watched connections, few questions at a time. */
import assert from 'node:assert/strict'
import { duplexPair } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { limits } from '../../src/core/limits.ts'
import { Turns } from '../../src/verify/status/turns.ts'
import type { Verdict } from '../../src/verify/verdict.ts'
import { Watches } from '../../src/verify/watches.ts'
import { authority } from '../support/anchor-bed.ts'
import { client, startSec, verifierFor } from './bed.ts'

const bounds = { openMax: 1, waitingMax: 2, waitMs: 60_000 }

/** Questions that are answered when the test says so, in the order in which they began. */
function questions() {
  const begun: string[] = []
  const ends: (() => void)[] = []
  const ask = (name: string) => () =>
    new Promise<string>((resolve) => {
      begun.push(name)
      ends.push(() => resolve(name))
    })
  const answerAll = async (count: number): Promise<void> => {
    for (let done = 0; done < count; done += 1) {
      ends[done]?.()
      await new Promise(setImmediate)
    }
  }
  return { begun, ask, answerAll }
}

test('questions that wait go in alternately, each lane in its order', async () => {
  const turns = new Turns(bounds)
  const { begun, ask, answerAll } = questions()
  const taken = [
    turns.take('again', ask('a1')),
    turns.take('again', ask('a2')),
    turns.take('again', ask('a3')),
    turns.take('first', ask('f1')),
    turns.take('first', ask('f2')),
  ]
  assert.equal(await turns.take('again', ask('a4')), null, 'the lane is full')
  await answerAll(5)
  assert.deepEqual(begun, ['a1', 'f1', 'a2', 'f2', 'a3'])
  assert.deepEqual(await Promise.all(taken), ['a1', 'a2', 'a3', 'f1', 'f2'])
})

test('who waits for too long is not asked about, and holds up nobody', async (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const turns = new Turns(bounds)
  const { begun, ask, answerAll } = questions()
  const first = turns.take('first', ask('one'))
  const late = turns.take('first', ask('late'))
  t.mock.timers.tick(bounds.waitMs)
  assert.equal(await late, null)
  const next = turns.take('first', ask('next'))
  await answerAll(2)
  assert.deepEqual([await first, await next, begun], ['one', 'next', ['one', 'next']])
})

test('a question that throws ends its turn', async () => {
  const turns = new Turns(bounds)
  const thrown = turns.take('first', () => Promise.reject(new Error('no')))
  const next = turns.take('first', async () => 'next')
  await assert.rejects(thrown, /no/)
  assert.equal(await next, 'next')
})

test('more clients than questions at a time are all asked about', async (t) => {
  const acme = authority('acme issuing')
  const askedAbout: Uint8Array[] = []
  let open = 0
  let openMost = 0
  const verifier = await verifierFor(t, acme, {
    revocation: { ocsp: { responder: 'http://ocsp.example/' } },
    async fetch({ question }) {
      open += 1
      openMost = Math.max(openMost, open)
      askedAbout.push(question ?? new Uint8Array())
      await new Promise(setImmediate)
      open -= 1
      // No answer at all: it is the questions that are counted.
      return new Uint8Array()
    },
  })
  const count = limits.ocspQuestionsMax * 3
  await Promise.all(Array.from({ length: count }, (_, index) => verifier.judge(client(`pump-${index}`, acme).der)))
  assert.equal(askedAbout.length, count)
  assert.equal(openMost, limits.ocspQuestionsMax)
})

test('where questions are few, watched connections are asked about by turns and none ends', async (t) => {
  const acme = authority('acme issuing')
  const verifier = await verifierFor(t, acme)
  let monotonicMs = startSec
  let left = 0
  const silent: Verdict = { admitted: false, code: 'verify-status-unknown', sentence: '', told: '', certificate: null }
  const judge = async (der: Uint8Array | null): Promise<Verdict> => {
    if (left === 0) return silent
    left -= 1
    return verifier.judge(der)
  }
  const watches = new Watches({ judge, monotonicMs: () => monotonicMs, silentSecMax: 50 })
  const sockets = Array.from({ length: 8 }, () => duplexPair()[0])
  for (const [index, socket] of sockets.entries()) {
    const { der } = client(`pump-${index}`, acme)
    const admitted = await verifier.judge(der)
    assert.ok(admitted.admitted)
    watches.add(socket, der, admitted)
  }
  for (let look = 0; look < 40; look += 1) {
    monotonicMs += 10_000
    left = 2
    await watches.look()
  }
  assert.deepEqual(
    sockets.map(({ destroyed }) => destroyed),
    sockets.map(() => false),
  )
})

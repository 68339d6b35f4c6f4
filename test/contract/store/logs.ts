/** What the store must do for what is only ever appended: the audit log and the events, numbered in the order of commits. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditChainStart, firstBreak } from '../../../src/core/audit/chain.ts'
import { limits } from '../../../src/core/limits.ts'
import type { NewAuditEntry } from '../../../src/hub/ports/audit.ts'
import type { NewHubEvent } from '../../../src/hub/ports/events.ts'
import type { Store } from '../../../src/hub/ports/store.ts'
import { fakeIdentity } from '../store-fakes.ts'

export function auditContract(store: () => Store): void {
  const entry = (subject: string): NewAuditEntry => ({
    atMs: 4,
    actor: 'hub',
    act: 'test',
    subject,
    before: { name: 'Zoë \u0000', '2': 1, '10': [null] },
    after: undefined,
  })

  test('audit entries are a chain without gaps, whoever writes and whatever fails between', async () => {
    const start = await store().audit.head()
    const write = (subject: string, fails = false) =>
      store().write(async (tx) => {
        await tx.audit.append(entry(subject))
        if (fails) throw new Error('no')
        await tx.audit.appendAll([entry(`${subject}-2`), entry(`${subject}-3`)])
      })
    await Promise.allSettled([write('one'), write('lost', true), write('two'), write('three')])
    await store().write((tx) => tx.audit.appendAll([]))
    const entries = await store().audit.after(start.number, limits.pageRowsMax)
    assert.deepEqual(
      entries.map(({ subject }) => subject),
      ['one', 'one-2', 'one-3', 'two', 'two-2', 'two-3', 'three', 'three-2', 'three-3'],
    )
    assert.equal(firstBreak(start, entries), null)
    const last = entries.at(-1)
    assert.deepEqual(await store().audit.head(), { number: last?.number, hash: last?.hash })
    assert.deepEqual(await store().audit.after(start.number + 2, 2), entries.slice(2, 4))
  })

  test('the first entry stands behind a hash of zeros', async () => {
    const [first] = await store().audit.after(0, 1)
    assert.ok(first !== undefined)
    assert.equal(firstBreak({ number: 0, hash: auditChainStart }, [first]), null)
  })
}

export function followContract(store: () => Store): void {
  const event = (id: string): NewHubEvent => ({ type: 'identity-registered', identityId: fakeIdentity(id).id })

  test('events are numbered in the order of commits, whoever began first', async () => {
    const start = await store().events.last()
    const seen: number[] = []
    const follow = async () => {
      const found = await store().events.after(seen.at(-1) ?? start, limits.pageRowsMax)
      seen.push(...found.map(({ number }) => number))
    }
    const slow = store().write(async (tx) => {
      await tx.events.append(event('began-first'))
      for (let i = 0; i < 50; i++) {
        await tx.settings.find('none')
        if (i % 10 === 0) await follow()
      }
      await tx.events.append(event('began-first-2'))
    })
    const quick = Array.from({ length: 20 }, (_, i) => store().write((tx) => tx.events.append(event(`quick-${i}`))))
    while (seen.length < 22) {
      await Promise.race([slow, ...quick])
      await follow()
    }
    await Promise.all([slow, ...quick])
    const all = await store().events.after(start, limits.pageRowsMax)
    assert.deepEqual(
      all.map(({ number }) => number),
      seen,
      'a follower misses nothing',
    )
    assert.equal(all.length, 22)
    assert.equal(await store().events.last(), all.at(-1)?.number)
    assert.equal((await store().events.after(start, 3)).length, 3)
  })

  test('listeners are called after the commit, when its events can be read, and not for a unit that failed', async () => {
    const start = await store().events.last()
    const numbers: Promise<number>[] = []
    const stop = store().onEvents(() => numbers.push(store().events.last()))
    await store().write(async (tx) => {
      await tx.events.append(event('listened'))
      await tx.settings.find('none')
      assert.equal(numbers.length, 0)
    })
    await assert.rejects(
      store().write(async (tx) => {
        await tx.events.append(event('failed'))
        throw new Error('no')
      }),
      { message: 'no' },
    )
    await store().write((tx) => tx.settings.set('quiet', '1'))
    stop()
    await store().write((tx) => tx.events.append(event('unheard')))
    assert.deepEqual(await Promise.all(numbers), [start + 1])
    const [first] = await store().events.after(start, 1)
    assert.deepEqual(first, { ...event('listened'), number: start + 1, atMs: first?.atMs })
    assert.equal(await store().events.last(), start + 2, 'a unit that failed leaves no gap behind')
  })
}

export function eventNumberContract(store: () => Store): void {
  const event = (id: string): NewHubEvent => ({ type: 'identity-registered', identityId: fakeIdentity(id).id })

  test('numbers go on above one that was given away in another life, and never fall back below the last', async () => {
    const last = await store().events.last()
    await store().write(async (tx) => {
      await tx.events.appendAbove(last + 100, event('far'))
      await tx.events.append(event('next'))
      await tx.events.appendAbove(5, event('low'))
    })
    const numbers = (await store().events.after(last, 10)).map(({ number }) => number)
    assert.deepEqual(numbers, [last + 101, last + 102, last + 103])
  })
}

/** What the store must do for cases and incidents. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../../src/core/limits.ts'
import type { AttemptCase, CaseQuery, Party, SharedTroubleQuery } from '../../../src/hub/ports/cases.ts'
import type { Store } from '../../../src/hub/ports/store.ts'
import { fakeIdentity, fakeIncident, fakeRefusals } from '../store-fakes.ts'

export function caseContract(store: () => Store): void {
  const all = async (query: Partial<CaseQuery>): Promise<readonly AttemptCase[]> =>
    (await store().cases.list({ after: null, limit: 1_000, ...query })).items
  const empty = (): Promise<void> => store().write((tx) => tx.cases.keepNewest(0, 0))
  const identity = (name: string): Party => ({ kind: 'identity', name })

  test('refusals of one party for one cause on one listener are one case, of which the newest is kept', async () => {
    await empty()
    const first = fakeRefusals('pump-1', { count: 3, firstAtMs: 1_000, lastAtMs: 2_000 })
    const second = fakeRefusals('pump-1', { count: 4, firstAtMs: 2_500, lastAtMs: 3_000, sentence: 'newer' })
    await store().write((tx) => tx.cases.addAll([first, fakeRefusals('pump-2', { lastAtMs: 2_200 })]))
    await store().write((tx) =>
      tx.cases.addAll([
        second,
        fakeRefusals('pump-1', { code: 'identity-disabled', lastAtMs: 2_900 }),
        fakeRefusals('pump-1', { listener: 'plant', lastAtMs: 2_800 }),
      ]),
    )
    const [newest, ...others] = await all({})
    assert.deepEqual(newest, { ...second, count: 7, firstAtMs: 1_000, admittedAtMs: null, number: newest?.number })
    assert.deepEqual(
      others.map(({ last }) => last.atMs),
      [2_900, 2_800, 2_200],
    )
    const late = fakeRefusals('pump-1', { firstAtMs: 500, lastAtMs: 900 })
    await store().write((tx) => tx.cases.addAll([late]))
    const [same] = await all({ identityId: 'pump-1', code: 'certificate-expired', listener: 'mqtts' })
    assert.deepEqual([same?.count, same?.firstAtMs, same?.last.atMs], [8, 500, 3_000])
  })

  test('a case that was quiet for long begins anew', async () => {
    await empty()
    const again = 1_000 + limits.caseQuietMs
    await store().write((tx) => tx.cases.addAll([fakeRefusals('a', { lastAtMs: 1_000, count: 9 })]))
    await store().write((tx) => tx.cases.addAll([fakeRefusals('a', { firstAtMs: again, lastAtMs: again })]))
    assert.deepEqual(
      (await all({})).map(({ count, firstAtMs }) => [count, firstAtMs]),
      [[10, 1_000]],
    )
    const anew = again + limits.caseQuietMs + 1
    await store().write((tx) => tx.cases.addAll([fakeRefusals('a', { firstAtMs: anew, lastAtMs: anew })]))
    assert.deepEqual(
      (await all({})).map(({ count, firstAtMs }) => [count, firstAtMs]),
      [[1, anew]],
    )
  })

  test('a case that a clock far ahead has written begins anew once the clock is right', async () => {
    await empty()
    const right = 5_000
    await store().write((tx) => tx.cases.addAll([fakeRefusals('a', { lastAtMs: right + limits.caseQuietMs + 1 })]))
    await store().write((tx) => tx.cases.addAll([fakeRefusals('a', { lastAtMs: right })]))
    assert.deepEqual(
      (await all({})).map(({ count, firstAtMs, last }) => [count, firstAtMs, last.atMs]),
      [[1, right, right]],
    )
  })

  test('an admission is noted in the cases of its party on its listener, until the next refusal', async () => {
    await empty()
    const certificate: Party = { kind: 'certificate', name: 'ab'.repeat(32) }
    await store().write((tx) =>
      tx.cases.addAll([
        fakeRefusals('a', { lastAtMs: 1_000 }),
        fakeRefusals('a', { lastAtMs: 1_000, listener: 'plant' }),
        fakeRefusals('a', { lastAtMs: 3_000, code: 'identity-disabled' }),
        fakeRefusals('b', { lastAtMs: 1_000 }),
        { ...fakeRefusals('c', { lastAtMs: 1_000 }), party: certificate },
      ]),
    )
    await store().write((tx) => tx.cases.admitted('mqtts', [identity('a'), certificate, identity('nobody')], 2_000))
    await store().write((tx) => tx.cases.admitted('mqtts', [identity('a')], 2_500))
    const admitted = async () =>
      (await all({}))
        .filter(({ admittedAtMs }) => admittedAtMs !== null)
        .map(({ party, last, code, admittedAtMs }) => [party.name, last.listener, code, admittedAtMs])
        .sort()
    assert.deepEqual(await admitted(), [
      ['a', 'mqtts', 'certificate-expired', 2_000],
      [certificate.name, 'mqtts', 'certificate-expired', 2_000],
    ])
    assert.equal((await all({ standing: true })).length, 3)
    await store().write((tx) => tx.cases.addAll([fakeRefusals('a', { lastAtMs: 1_500 })]))
    assert.equal((await admitted()).length, 2, 'what is told late was before the admission')
    await store().write((tx) => tx.cases.addAll([fakeRefusals('a', { lastAtMs: 2_600 })]))
    assert.deepEqual(
      (await admitted()).map(([name]) => name),
      [certificate.name],
    )
  })

  test('cases are filtered and paged, those refused last first', async () => {
    await empty()
    await store().write(async (tx) => {
      await tx.identities.insertAll([
        fakeIdentity('case-1', { group: 'line-1' }),
        fakeIdentity('case-2', { group: 'line-2' }),
        fakeIdentity('case-3', { group: 'line-1', kind: 'user', profiles: ['user'] }),
      ])
      const cases = Array.from({ length: 30 }, (_, n) =>
        fakeRefusals(`case-${n}`, { lastAtMs: 1_000 + Math.floor(n / 3), listener: n % 2 === 0 ? 'mqtts' : 'plant' }),
      )
      await tx.cases.addAll(cases)
    })
    const seen: string[] = []
    let after: string | null = null
    do {
      const page: Awaited<ReturnType<Store['cases']['list']>> = await store().cases.list({ after, limit: 4 })
      seen.push(...page.items.map(({ party }) => party.name))
      after = page.next
    } while (after !== null)
    assert.deepEqual(
      seen,
      Array.from({ length: 30 }, (_, n) => `case-${29 - n}`),
    )
    const names = async (query: Partial<CaseQuery>) => (await all(query)).map(({ party }) => party.name)
    assert.deepEqual(await names({ lastFromMs: 1_009, listener: 'plant' }), ['case-29', 'case-27'])
    assert.deepEqual(await names({ identityId: 'case-4' }), ['case-4'])
    assert.deepEqual(await names({ code: 'identity-disabled' }), [])
    assert.deepEqual(await names({ inGroups: ['line-1'] }), ['case-1'])
    await assert.rejects(all({ after: 'nonsense' }), { code: 'cursor-invalid' })
  })

  test('what several parties share is counted by listener, cause and issuer, without who came in since', async () => {
    await empty()
    const certificate = (n: number): Party => ({ kind: 'certificate', name: String(n).padStart(64, '0') })
    await store().write(async (tx) => {
      await tx.cases.addAll([
        ...[1, 2, 3].map((n) => fakeRefusals(`p-${n}`, { firstAtMs: n * 100, lastAtMs: 1_000 + n })),
        ...[4, 5].map((n) => ({ ...fakeRefusals('x', { lastAtMs: 1_500 }), party: certificate(n) })),
        { ...fakeRefusals('x', { lastAtMs: 1_600 }), party: { kind: 'network' as const, name: '192.0.2.7' } },
        ...[6, 7].map((n) => ({ ...fakeRefusals(`p-${n}`, { lastAtMs: 1_000 }), issuer: 'CN=other' })),
        fakeRefusals('old', { lastAtMs: 900 }),
        fakeRefusals('in', { lastAtMs: 1_100 }),
        ...[1, 2, 3, 4].map((n) => fakeRefusals(`p-${n}`, { code: 'connection-lost', lastAtMs: 1_700 })),
      ])
      await tx.cases.admitted('mqtts', [identity('in')], 1_200)
    })
    const query: SharedTroubleQuery = {
      ...{ lastFromMs: 1_000, firstFromMs: 200, partiesMin: 2, limit: 10 },
      codesLeftOut: ['connection-lost'],
    }
    const [most, least, ...none] = await store().cases.shared(query)
    assert.deepEqual(none, [])
    assert.deepEqual(most, {
      ...{ listener: 'mqtts', code: 'certificate-expired', issuer: 'CN=issuing' },
      parties: { identities: 3, certificates: 2, networks: 1 },
      ...{ newcomers: 5, lastAtMs: 1_600 },
    })
    assert.deepEqual([least?.issuer, least?.parties.identities, least?.newcomers], ['CN=other', 2, 2])
    assert.equal((await store().cases.shared({ ...query, partiesMin: 3 })).length, 1)
    assert.equal((await store().cases.shared({ ...query, codesLeftOut: [] })).length, 3)
    assert.deepEqual(await store().cases.partiesOf(most ?? assert.fail(), 1_000, 3), [
      { kind: 'network', name: '192.0.2.7', subject: 'CN=pump' },
      { ...certificate(5), subject: 'CN=pump' },
      { ...certificate(4), subject: 'CN=pump' },
    ])
  })

  test('troubles of many strangers push out none of identities', async () => {
    await empty()
    const strangers = (issuer: string) =>
      [1, 2, 3, 4].map((n) => ({
        ...fakeRefusals('x', { lastAtMs: 1_000 }),
        ...{ issuer, party: { kind: 'certificate' as const, name: `${issuer}-${n}`.padEnd(64, '0') } },
      }))
    await store().write((tx) =>
      tx.cases.addAll([
        ...strangers('CN=a'),
        ...strangers('CN=b'),
        ...[1, 2].map((n) => fakeRefusals(`p-${n}`, { lastAtMs: 1_000 })),
      ]),
    )
    const found = await store().cases.shared({
      ...{ lastFromMs: 0, firstFromMs: 0, partiesMin: 2, limit: 2, codesLeftOut: [] },
    })
    assert.deepEqual(
      found.map(({ issuer }) => issuer),
      ['CN=issuing', 'CN=a'],
    )
  })

  test('the newest cases are kept, those of strangers apart from those of identities', async () => {
    await empty()
    const network = (n: number): Party => ({ kind: 'network', name: `192.0.2.${n}` })
    await store().write(async (tx) => {
      await tx.cases.addAll([
        ...[1, 2, 3].map((n) => fakeRefusals(`p-${n}`, { lastAtMs: n })),
        ...[1, 2, 3, 4].map((n) => ({ ...fakeRefusals('x', { lastAtMs: 100 }), party: network(n) })),
      ])
      await tx.cases.keepNewest(2, 1)
    })
    assert.deepEqual(
      (await all({})).map(({ party }) => party.name),
      ['192.0.2.4', 'p-3', 'p-2'],
    )
  })

  test('incidents stand until they end, and the newest of those that ended are kept', async () => {
    const begun = (listener: string) => fakeIncident({ listener })
    await store().write(async (tx) => {
      for (const listener of ['a', 'b', 'c', 'd']) await tx.incidents.insert(begun(listener))
    })
    const [a, b, c, d] = await store().incidents.standing()
    assert.ok(a !== undefined && b !== undefined && c !== undefined && d !== undefined)
    assert.deepEqual(a, { ...begun('a'), number: a.number })
    const parties = { identities: 9, certificates: 0, networks: 2 }
    await store().write(async (tx) => {
      await tx.incidents.update({ ...a, parties, isSudden: false, lastAtMs: 2_000 })
      for (const [each, endedAtMs] of [
        [b, 3_000],
        [c, 4_000],
        [d, 5_000],
      ] as const) {
        await tx.incidents.update({ ...each, endedAtMs })
      }
      await tx.incidents.keepNewest(2)
    })
    assert.deepEqual(await store().incidents.standing(), [{ ...a, parties, isSudden: false, lastAtMs: 2_000 }])
    const listeners = async (endedFromMs?: number) => {
      const query = { after: null, limit: 10, ...(endedFromMs === undefined ? {} : { endedFromMs }) }
      return (await store().incidents.list(query)).items.map(({ listener }) => listener)
    }
    assert.deepEqual(await listeners(), ['d', 'c', 'a'])
    assert.deepEqual(await listeners(5_000), ['d', 'a'])
    const first = await store().incidents.list({ after: null, limit: 2 })
    const second = await store().incidents.list({ after: first.next, limit: 2 })
    assert.deepEqual(
      [...first.items, ...second.items].map(({ listener }) => listener),
      ['d', 'c', 'a'],
    )
    assert.equal(second.next, null)
  })
}

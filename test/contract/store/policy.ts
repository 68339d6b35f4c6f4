/** What the store must do for versions of the policy and for pinned certificates. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { noSources } from '../../../src/core/identification/revocation-sources.ts'
import type {
  AnchorCrlHead,
  AnchorCrlPlace,
  AnchorCrlRow,
  AnchorFetchRow,
  AnchorRow,
} from '../../../src/hub/ports/anchors.ts'
import type { PinRow } from '../../../src/hub/ports/pins.ts'
import type { PolicyRow } from '../../../src/hub/ports/policies.ts'
import type { Store } from '../../../src/hub/ports/store.ts'
import { fakeIdentity } from '../store-fakes.ts'

const draft: Omit<PolicyRow, 'number'> = {
  state: 'draft',
  createdAtMs: 1,
  createdBy: 'key:admin',
  note: 'a note',
  changedAtMs: 2,
  activatedAtMs: null,
  source: 'bindings: []\n',
}

export function policyContract(store: () => Store): void {
  describe('the policy', () => {
    test('has versions with numbers of their own, newest first, and their states change', async () => {
      const [one, two] = await store().write(async (tx) => [
        await tx.policies.insert(draft),
        await tx.policies.insert(draft),
      ])
      assert.ok(one !== undefined && two !== undefined && two.number > one.number)
      assert.deepEqual(await store().policies.find(one.number), one)
      assert.deepEqual(
        (await store().policies.all()).slice(0, 2),
        [two, one].map(({ source: _, ...version }) => version),
      )
      const active = { ...one, state: 'active', activatedAtMs: 5, changedAtMs: 6 } as const
      await store().write((tx) => tx.policies.update(active))
      assert.deepEqual(await store().policies.inState('active'), active)
      assert.equal(await store().policies.inState('shadow'), null)
      await store().write(async (tx) => {
        for (const { number } of [one, two]) await tx.policies.remove(number)
      })
      assert.equal(await store().policies.find(one.number), null)
    })

    test('finds of several replaced versions the one that was active last', async () => {
      const replaced = (activatedAtMs: number) => ({ ...draft, state: 'replaced', activatedAtMs }) as const
      const [, later] = await store().write(async (tx) => [
        await tx.policies.insert(replaced(8)),
        await tx.policies.insert(replaced(9)),
        await tx.policies.insert(replaced(7)),
      ])
      assert.equal((await store().policies.inState('replaced'))?.number, later?.number)
    })
  })

  describe('pinned certificates', () => {
    const pin = (id: string, slot: PinRow['slot'], fingerprint: string): PinRow => ({
      ...{ identityId: fakeIdentity(id).id, slot, fingerprint, datesCount: slot === 'primary' },
      ...{ createdAtMs: 3, usedAtMs: null, certificate: new Uint8Array([0x30, 1, 2]) },
    })

    test('are found by fingerprint and by identity, the primary one first, and remember their first use', async () => {
      const [primary, secondary] = [
        pin('pinned-1', 'primary', 'a'.repeat(64)),
        pin('pinned-1', 'secondary', 'b'.repeat(64)),
      ]
      await store().write(async (tx) => {
        await tx.identities.insert(fakeIdentity('pinned-1'))
        await tx.pins.insert(secondary)
        await tx.pins.insert(primary)
        await tx.pins.noteUse(primary.fingerprint, 9)
      })
      const used = { ...primary, usedAtMs: 9 }
      assert.deepEqual(await store().pins.find(primary.fingerprint), used)
      assert.deepEqual(await store().pins.ofIdentity(primary.identityId), [used, secondary])
      await store().write((tx) => tx.pins.remove(primary.fingerprint))
      assert.equal(await store().pins.find(primary.fingerprint), null)
    })

    test('are one to a slot, and each is somebody’s alone', async () => {
      const first = pin('pinned-2', 'primary', 'c'.repeat(64))
      await store().write(async (tx) => {
        await tx.identities.insert(fakeIdentity('pinned-2'))
        await tx.pins.insert(first)
      })
      await assert.rejects(store().write((tx) => tx.pins.insert({ ...first, fingerprint: 'd'.repeat(64) })))
      await assert.rejects(store().write((tx) => tx.pins.insert({ ...first, slot: 'secondary' })))
    })
  })

  describe('trust anchors', () => {
    const anchor = (id: string, fingerprint: string): AnchorRow => ({
      ...{ id, fingerprint, state: 'waiting', code: 'c0de', revocation: 'prefer', createdAtMs: 3, changedAtMs: 3 },
      ...{ certificate: new Uint8Array([0x30, 1, 2]), above: '', below: '', sources: noSources },
    })
    const place = (anchorId: string, part = ''): AnchorCrlPlace => ({ anchorId, issuer: '1'.repeat(64), part })
    const crl = (anchorId: string, thisUpdateMs: number, part = ''): AnchorCrlRow => ({
      ...{ ...place(anchorId, part), thisUpdateMs, nextUpdateMs: thisUpdateMs + 9, givenAtMs: 5 },
      crl: new Uint8Array([0x30, 0]),
    })
    const head = ({ crl: _bytes, ...rest }: AnchorCrlRow): AnchorCrlHead => rest
    const fetched = (anchorId: string, url: string, isLearned: boolean): AnchorFetchRow => ({
      ...{ anchorId, url, isLearned, dueAtMs: 4, triedAtMs: null, failures: 0, failure: null },
    })

    test('change their state and sources, and have the latest CRL of each authority and part', async () => {
      const [first, second] = [anchor('anchor-1', '1'.repeat(64)), anchor('anchor-2', '2'.repeat(64))]
      const sources = { ...noSources, crlUrls: ['http://crl.example/a'], hosts: ['pki.plant'] }
      const changed = {
        ...first,
        state: 'trusted',
        revocation: 'require',
        changedAtMs: 7,
        sources,
        below: 'pem',
      } as const
      await store().write(async (tx) => {
        await tx.anchors.insert(first)
        await tx.anchors.insert(second)
        await tx.anchors.update(changed)
        await tx.anchors.saveCrl(crl('anchor-1', 10))
        await tx.anchors.saveCrl(crl('anchor-1', 11))
        await tx.anchors.saveCrl(crl('anchor-1', 12, 'http://crl.example/7'))
      })
      assert.deepEqual(await store().anchors.find('anchor-1'), changed)
      assert.deepEqual(await store().anchors.all(), [changed, second])
      assert.deepEqual(await store().anchors.crl(place('anchor-1')), crl('anchor-1', 11))
      const heads = [head(crl('anchor-1', 11)), head(crl('anchor-1', 12, 'http://crl.example/7'))]
      assert.deepEqual(await store().anchors.crlHeads('anchor-1'), heads)
      assert.deepEqual(await store().anchors.crlHeads(null), heads)
      assert.deepEqual(await store().anchors.crlHeads('anchor-2'), [])
      assert.equal(await store().anchors.crl(place('anchor-2')), null)
      await store().write((tx) => tx.anchors.removeCrl(place('anchor-1')))
      assert.equal(await store().anchors.crl(place('anchor-1')), null)
    })

    test('have addresses that CRLs are fetched from, those of the operator first', async () => {
      const [own, learned] = [fetched('anchor-5', 'http://z/a', false), fetched('anchor-5', 'http://a/b', true)]
      const tried = { ...learned, triedAtMs: 6, dueAtMs: 9, failures: 2, failure: 'nobody answers' }
      await store().write(async (tx) => {
        await tx.anchors.insert(anchor('anchor-5', '5'.repeat(64)))
        await tx.anchors.saveFetch(learned)
        await tx.anchors.saveFetch(own)
        await tx.anchors.saveFetch(tried)
      })
      assert.deepEqual(await store().anchors.fetches('anchor-5'), [own, tried])
      await store().write((tx) => tx.anchors.removeFetch(own))
      assert.deepEqual(await store().anchors.fetches(null), [tried])
    })

    test('go with their CRLs and addresses, and are one to an id and to a certificate', async () => {
      const gone = anchor('anchor-3', '3'.repeat(64))
      await store().write(async (tx) => {
        await tx.anchors.insert(gone)
        await tx.anchors.saveCrl(crl('anchor-3', 10))
        await tx.anchors.saveFetch(fetched('anchor-3', 'http://a/b', true))
      })
      await assert.rejects(store().write((tx) => tx.anchors.insert({ ...gone, id: 'anchor-4' })))
      await assert.rejects(store().write((tx) => tx.anchors.insert({ ...gone, fingerprint: '4'.repeat(64) })))
      await store().write((tx) => tx.anchors.remove('anchor-3'))
      assert.equal(await store().anchors.find('anchor-3'), null)
      assert.equal(await store().anchors.crl(place('anchor-3')), null)
      assert.deepEqual(await store().anchors.fetches('anchor-3'), [])
    })
  })
}

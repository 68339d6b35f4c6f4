import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { HubError } from '../../../src/core/errors.ts'
import { readCertificate } from '../../../src/core/x509/certificate.ts'
import { decodePem } from '../../../src/core/x509/pem.ts'
import { openAuthorities } from '../../../src/hub/authorities.ts'
import { enrol } from '../../../src/hub/enrol.ts'
import type { Store } from '../../../src/hub/ports/store.ts'
import { crlLifetimeMs, currentCrl, fullScope } from '../../../src/hub/publish-crl.ts'
import { advanceAll } from '../../../src/hub/roll-over/advance.ts'
import { beginRollOver, type RollOverOrder } from '../../../src/hub/roll-over/begin.ts'
import { keepAuthorities } from '../../../src/hub/roll-over/keep.ts'
import { cutRollOver, pauseRollOver, undoRollOver } from '../../../src/hub/roll-over/operate.ts'
import { currentServerCertificate } from '../../../src/hub/server-certificate.ts'
import { deviceRequest, type HubParts, hubParts, registered } from '../../support/hub-parts.ts'

const actor = 'key:test'
const issuing: RollOverOrder = { role: 'issuing', chain: 'main', keyType: null, isPaused: false }
const root: RollOverOrder = { ...issuing, role: 'root' }
const now = { sharePercent: 98, isForced: true }

type Advancing = HubParts & { ensureCrl(id: string): Promise<unknown> }

async function parts(t: Parameters<typeof hubParts>[0]): Promise<Advancing> {
  const hub = await hubParts(t)
  return { ...hub, ensureCrl: (id) => currentCrl(hub, fullScope(id)) }
}

async function stateOf(hub: HubParts): Promise<string> {
  return (await hub.store.rollOvers.all())[0]?.state ?? 'none'
}

async function device(hub: HubParts, id: string): Promise<X509Certificate> {
  const { tokenText } = await registered(hub, id)
  const { certificateRequest } = deviceRequest(id)
  return new X509Certificate((await enrol(hub, { tokenText, claimedId: id, certificateRequest })).certificate)
}

/** Whether a chain as it is sent leads to a root, with whatever OpenSSL looks at in Node: names, keys, signatures. */
function verifies(sent: readonly X509Certificate[], anchor: X509Certificate): boolean {
  const [leaf, ...rest] = sent
  if (leaf === undefined) return false
  if (leaf.checkIssued(anchor) && leaf.verify(anchor.publicKey)) return true
  const next = rest.find((each) => leaf.checkIssued(each) && leaf.verify(each.publicKey))
  return next !== undefined && verifies([next, ...rest.filter((each) => each !== next)], anchor)
}

async function served(hub: HubParts): Promise<readonly X509Certificate[]> {
  const { chain } = await currentServerCertificate(hub, { dnsNames: ['hub.plant.example'], ipAddresses: [] })
  return decodePem(chain).map(({ der }) => new X509Certificate(der))
}

describe('a roll-over of the issuing authority', () => {
  test('changes who signs, keeps what was signed, and ends with the last certificate of the old one', async (t) => {
    const hub = await parts(t)
    const old = hub.authorities.issuing()
    const before = await device(hub, 'pump-1')
    await beginRollOver(hub, actor, issuing)
    await advanceAll(hub)
    assert.equal(await stateOf(hub), 'switched')
    const successor = hub.authorities.issuing()
    assert.notEqual(successor.id, old.id)
    const after = await device(hub, 'pump-2')
    assert.ok(before.verify(new X509Certificate(old.certificate).publicKey))
    assert.ok(after.verify(new X509Certificate(successor.certificate).publicKey))
    const anchor = new X509Certificate(hub.authorities.root().certificate)
    assert.ok(verifies(await served(hub), anchor))
    assert.equal(hub.authorities.byId(old.id)?.state, 'previous')
    assert.ok((await currentCrl(hub, fullScope(old.id))).crl.length > 0, 'it signs its CRLs on')

    hub.clock.advance(10 * 86_400_000)
    await advanceAll(hub)
    assert.equal(hub.authorities.byId(old.id)?.state, 'previous', 'its last certificate has just ended')
    hub.clock.advance(crlLifetimeMs)
    await advanceAll(hub)
    assert.equal(hub.authorities.byId(old.id)?.state, 'retired')
    assert.equal(await stateOf(hub), 'done')
  })

  test('may bring a key of another kind', async (t) => {
    const hub = await parts(t)
    await beginRollOver(hub, actor, { ...issuing, keyType: 'P-384' })
    await advanceAll(hub)
    assert.equal(hub.authorities.issuing().keyType, 'P-384')
    assert.ok(
      (await device(hub, 'pump-1')).verify(new X509Certificate(hub.authorities.issuing().certificate).publicKey),
    )
  })

  test('is refused while another one of the chain is under way, and without the key of the root', async (t) => {
    const hub = await parts(t)
    await beginRollOver(hub, actor, { ...issuing, isPaused: true })
    await assert.rejects(beginRollOver(hub, actor, root), { code: 'roll-over-open' })
    await undoRollOver(hub, actor, 'main')
    const rows = await hub.store.authorities.all()
    await hub.store.write(async (tx) => {
      for (const row of rows) if (row.role === 'root') await tx.authorities.update({ ...row, keyPlace: 'offline' })
    })
    await hub.authorities.refresh()
    await assert.rejects(beginRollOver(hub, actor, issuing), { code: 'authority-key-offline' })
    await assert.rejects(beginRollOver(hub, actor, { ...issuing, chain: 'none' }), { code: 'not-found' })
  })
})

describe('a roll-over of the root', () => {
  test('serves chains that devices with either root verify, until the cut', async (t) => {
    const hub = await parts(t)
    const oldRoot = new X509Certificate(hub.authorities.root().certificate)
    await beginRollOver(hub, actor, { ...root, isPaused: true })
    const newRoot = new X509Certificate(
      hub.authorities.all().findLast(({ role }) => role === 'root')?.certificate ?? new Uint8Array(),
    )
    assert.ok(verifies(await served(hub), oldRoot))
    assert.ok(!verifies(await served(hub), newRoot), 'what is prepared is seen by nobody')
    assert.equal(hub.authorities.roots().length, 1)

    await pauseRollOver(hub, actor, 'main', false)
    await advanceAll(hub)
    assert.equal(await stateOf(hub), 'switched')
    assert.deepEqual(
      hub.authorities.roots().map(({ fingerprint }) => fingerprint),
      [newRoot, oldRoot].map((each) => each.fingerprint256.replaceAll(':', '').toLowerCase()),
    )
    for (const anchor of [oldRoot, newRoot]) assert.ok(verifies(await served(hub), anchor))

    await cutRollOver(hub, actor, 'main', now)
    assert.equal(await stateOf(hub), 'done')
    assert.ok(verifies(await served(hub), newRoot))
    assert.ok(!verifies(await served(hub), oldRoot))
    assert.deepEqual(hub.authorities.roots(), [hub.authorities.root()])
  })

  test('keeps the name, so that the two count for one step in a path (RFC 5280 §4.2.1.9)', async (t) => {
    const hub = await parts(t)
    const old = hub.authorities.root()
    await beginRollOver(hub, actor, root)
    await advanceAll(hub)
    const successor = hub.authorities.root()
    assert.deepEqual(successor.fields.subject.der, old.fields.subject.der)
    const crosses = await hub.store.authorities.crossCertificates()
    assert.deepEqual(
      crosses.map(({ subjectId, issuerId }) => [subjectId, issuerId]),
      [
        [successor.id, old.id],
        [old.id, successor.id],
      ],
    )
    for (const { certificate } of crosses) {
      const fields = readCertificate(certificate)
      assert.deepEqual(fields.subject.der, fields.issuer.der)
      assert.notDeepEqual(fields.authorityKeyIdentifier, fields.subjectKeyIdentifier)
    }
  })

  test('is cut when the asked share of devices is known to trust the new one, and not before', async (t) => {
    const hub = await parts(t)
    for (const id of ['pump-1', 'pump-2', 'pump-3', 'pump-4']) await device(hub, id)
    const { toId } = await beginRollOver(hub, actor, root)
    await advanceAll(hub)
    const acknowledge = (id: string) =>
      hub.store.write((tx) => tx.rollOvers.acknowledge(toId, id as never, 'fetch', hub.clock.nowMs()))
    await acknowledge('pump-1')
    const asked = { sharePercent: 75, isForced: false }
    assert.equal((await cutRollOver(hub, actor, 'main', asked)).state, 'cutting')
    assert.deepEqual(await hub.store.rollOvers.standing(toId), { devices: 4, acknowledged: 1 })
    assert.deepEqual(await hub.store.rollOvers.unknown(toId, 2), ['pump-2', 'pump-3'])
    await acknowledge('pump-2')
    await advanceAll(hub)
    assert.equal(await stateOf(hub), 'cutting')
    await acknowledge('pump-4')
    await advanceAll(hub)
    assert.equal(await stateOf(hub), 'done')
    assert.equal(hub.authorities.roots().length, 1)
  })

  test('is not cut before it has switched, nor while it is paused', async (t) => {
    const hub = await parts(t)
    await assert.rejects(cutRollOver(hub, actor, 'main', now), { code: 'roll-over-missing' })
    await beginRollOver(hub, actor, { ...root, isPaused: true })
    await assert.rejects(cutRollOver(hub, actor, 'main', now), { code: 'roll-over-step-refused' })
    await pauseRollOver(hub, actor, 'main', false)
    await advanceAll(hub)
    await pauseRollOver(hub, actor, 'main', true)
    await assert.rejects(cutRollOver(hub, actor, 'main', now), { code: 'roll-over-step-refused' })
  })
})

describe('any course of roll-overs', () => {
  const acts = fc.array(
    fc.constantFrom('issuing', 'root', 'advance', 'pause', 'resume', 'cut', 'undo', 'days', 'restart' as const),
    { minLength: 1, maxLength: 14 },
  )

  test('leaves one root and one issuing authority in use, and everything that was issued verifiable', async (t) => {
    await fc.assert(
      fc.asyncProperty(acts, async (asked) => {
        let hub = await parts(t)
        const anchors = new Set([hub.authorities.root().id])
        const issued: X509Certificate[] = []
        for (const [index, act] of asked.entries()) {
          try {
            if (act === 'issuing') await beginRollOver(hub, actor, issuing)
            if (act === 'root') await beginRollOver(hub, actor, root)
            if (act === 'advance') await advanceAll(hub)
            if (act === 'pause' || act === 'resume') await pauseRollOver(hub, actor, 'main', act === 'pause')
            if (act === 'cut') await cutRollOver(hub, actor, 'main', now)
            if (act === 'undo') await undoRollOver(hub, actor, 'main')
            if (act === 'days') hub.clock.advance(2 * 86_400_000)
            if (act === 'restart') {
              const restarted = { ...hub, authorities: await openAuthorities(hub.store, hub.keys) }
              hub = { ...restarted, ensureCrl: (id) => currentCrl(restarted, fullScope(id)) }
            }
          } catch (error) {
            if (!(error instanceof HubError) || !/^roll-over-/.test(error.code)) throw error
          }
          const { authorities } = hub
          const active = authorities.all().filter(({ state }) => state === 'active')
          assert.deepEqual(active.map(({ role }) => role).toSorted(), ['issuing', 'root'])
          assert.equal(authorities.issuing().parentId, authorities.root().id)
          issued.push(await device(hub, `pump-${index}`))
          for (const trusted of authorities.roots()) {
            anchors.add(trusted.id)
            assert.ok(verifies(await served(hub), new X509Certificate(trusted.certificate)), `${asked} ${act}`)
          }
          // Whoever was signed by an authority that still signs CRLs is verified by whoever trusts the root of now.
          const anchor = new X509Certificate(authorities.root().certificate)
          const between = authorities.caCertificates().map((der) => new X509Certificate(der))
          for (const leaf of issued) {
            const signer = authorities
              .all()
              .find(({ certificate }) => leaf.checkIssued(new X509Certificate(certificate)))
            if (signer?.state !== 'retired') assert.ok(verifies([leaf, ...between], anchor), `${asked} ${act}`)
          }
        }
        await hub.store.close()
      }),
      // What an undone root has signed is reached through two others in the end.
      { numRuns: 15, examples: [[['root', 'advance', 'undo', 'root', 'advance', 'cut', 'issuing']]] },
    )
  })
})

describe('a roll-over whose hub dies', () => {
  /** A store whose nth write fails before it does anything, or after it has committed. */
  function dying(store: Store, nth: number, isAfter: boolean): Store {
    let writes = 0
    const write: Store['write'] = async (work) => {
      writes += 1
      if (writes < nth) return store.write(work)
      if (isAfter && writes === nth) await store.write(work)
      throw new HubError('store-unavailable', 'the hub has died')
    }
    return new Proxy(store, { get: (target, name) => (name === 'write' ? write : Reflect.get(target, name)) })
  }

  for (const order of [issuing, root]) {
    test(`goes on where it was, whichever write of it was the last: ${order.role}`, async (t) => {
      for (let nth = 1; nth <= 9; nth++) {
        for (const isAfter of [false, true]) {
          const hub = await parts(t)
          const old = hub.authorities.issuing().id
          await served(hub)
          const dead = { ...hub, store: dying(hub.store, nth, isAfter) }
          const died = await beginRollOver(dead, actor, order)
            .then(() => advanceAll({ ...dead, ensureCrl: (id) => currentCrl(dead, fullScope(id)) }))
            .then(
              () => false,
              () => true,
            )
          const authorities = await openAuthorities(hub.store, hub.keys)
          const again = { ...hub, authorities }
          const keeper = keepAuthorities({ ...again, ensureCrl: (id) => currentCrl(again, fullScope(id)) }, 'again')
          assert.ok(await keeper.round())
          await keeper.stop()
          const hasBegun = (await hub.store.rollOvers.all()).length === 1
          assert.ok(hasBegun || died)
          assert.equal(await stateOf(hub), hasBegun ? 'switched' : 'none')
          assert.equal(authorities.issuing().id !== old, hasBegun)
          for (const { certificate } of authorities.roots()) {
            assert.ok(verifies(await served(again), new X509Certificate(certificate)))
          }
        }
      }
    })
  }
})

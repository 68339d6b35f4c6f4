/** What a restored registry may not give back of the policy, of pinned certificates, and of what policies ask about. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noSources } from '../../src/core/identification/revocation-sources.ts'
import { adoptIdentity } from '../../src/hub/adopt.ts'
import { giveCrl } from '../../src/hub/anchor-crls.ts'
import { addAnchor, distrustAnchor } from '../../src/hub/change-anchors.ts'
import { activatePolicy, addPolicy, rollBackPolicy } from '../../src/hub/change-policy.ts'
import { editAnchor } from '../../src/hub/edit-anchor.ts'
import { editDevice } from '../../src/hub/edit-device.ts'
import { pinCertificate, unpinCertificate } from '../../src/hub/pin-certificates.ts'
import { makeRoot } from '../core/x509/support.ts'
import { authority, crlOf, trusted } from '../support/anchor-bed.ts'
import { registered } from '../support/hub-parts.ts'
import { ownCertificate } from '../support/own-certificate.ts'
import { TimeMachine } from '../support/time-machine.ts'

const actor = 'key:test'
const wide = 'bindings: [{ roles: [own-topics, viewer], to: everyone }]\n'
const narrow = 'bindings: [{ roles: [own-topics], to: everyone }]\n'

async function activated(machine: TimeMachine, source: string): Promise<number> {
  const { row } = await addPolicy(machine.hub, actor, { source, note: '' })
  const { number } = row
  await activatePolicy(machine.hub, actor, number)
  return number
}

test('the policy is after a restore what its operator had made of it, not what the copy had', async (t) => {
  const machine = await TimeMachine.start(t)
  await activated(machine, wide)
  const copy = await machine.backUp()
  await activated(machine, narrow)
  await machine.restore(copy)
  const active = await machine.hub.store.policies.inState('active')
  assert.equal(active?.source, narrow)
  assert.equal((await machine.hub.store.policies.inState('replaced'))?.source, wide)
})

test('a policy that was taken back after the copy does not decide again', async (t) => {
  const machine = await TimeMachine.start(t)
  await activated(machine, wide)
  const copy = await machine.backUp()
  await rollBackPolicy(machine.hub, actor)
  await machine.restore(copy)
  assert.equal(await machine.hub.store.policies.inState('active'), null)
})

test('a pinned certificate that was removed after the copy opens nothing again', async (t) => {
  const machine = await TimeMachine.start(t)
  const { identity } = await registered(machine.hub, 'meadow-1')
  const order = { slot: 'primary', datesCount: true, replace: false } as const
  const [gone, kept] = [ownCertificate('gone'), ownCertificate('kept')]
  await pinCertificate(machine.hub, actor, identity.id, { ...order, certificate: gone.der })
  await pinCertificate(machine.hub, actor, identity.id, { ...order, slot: 'secondary', certificate: kept.der })
  const copy = await machine.backUp()
  await unpinCertificate(machine.hub, actor, identity.id, 'primary')
  await machine.restore(copy)
  const pins = await machine.hub.store.pins.ofIdentity(identity.id)
  assert.deepEqual(
    pins.map(({ slot }) => slot),
    ['secondary'],
  )
})

test('a certificate that was moved to another device after the copy is nobody’s after a restore', async (t) => {
  const machine = await TimeMachine.start(t)
  const [first, second] = [await registered(machine.hub, 'first'), await registered(machine.hub, 'second')]
  const order = {
    slot: 'primary',
    datesCount: false,
    replace: false,
    certificate: ownCertificate('moved').der,
  } as const
  const { fingerprint } = await pinCertificate(machine.hub, actor, first.identity.id, order)
  const copy = await machine.backUp()
  await unpinCertificate(machine.hub, actor, first.identity.id, 'primary')
  await pinCertificate(machine.hub, actor, second.identity.id, order)
  await machine.restore(copy)
  assert.equal(await machine.hub.store.pins.find(fingerprint), null)
})

test('attributes and key storage that a device has lost after the copy are not its own again until it is adopted', async (t) => {
  const machine = await TimeMachine.start(t)
  const { identity } = await registered(machine.hub, 'pump-7')
  const edit = (attributes: Record<string, string | null>, keyStorage: 'tpm' | 'software') =>
    editDevice(machine.hub, actor, identity.id, { attributes, keyStorage }, null)
  await edit({ site: 'berlin', line: '3' }, 'tpm')
  const copy = await machine.backUp()
  await edit({ site: 'hamburg' }, 'software')
  await machine.restore(copy)
  const now = async () => {
    const found = await machine.hub.store.identities.find(identity.id)
    return [found?.attributes, found?.keyStorage]
  }
  assert.deepEqual(await now(), [{ line: '3' }, null])
  await adoptIdentity(machine.hub, actor, identity.id)
  assert.deepEqual(await now(), [{ site: 'hamburg', line: '3' }, 'software'])
})

test('a trust anchor that was distrusted after the copy is so again', async (t) => {
  const machine = await TimeMachine.start(t)
  const dates = { notBeforeSec: 1_600_000_000, notAfterSec: 2_400_000_000 }
  for (const id of ['gone', 'kept']) {
    const order = {
      id,
      certificates: [makeRoot(dates).der],
      revocation: 'prefer',
      isUnproven: true,
      sources: noSources,
    } as const
    await addAnchor(machine.hub, actor, order)
  }
  const copy = await machine.backUp()
  await distrustAnchor(machine.hub, actor, 'gone')
  await machine.restore(copy)
  assert.deepEqual(
    (await machine.hub.store.anchors.all()).map(({ id, state }) => [id, state]),
    [
      ['gone', 'distrusted'],
      ['kept', 'trusted'],
    ],
  )
})

test('a CRL that was given after the copy is wanted again, before anybody of its trust anchor comes in', async (t) => {
  const machine = await TimeMachine.start(t)
  const dates = { notBeforeSec: 1_600_000_000, notAfterSec: 2_400_000_000 }
  const order = {
    id: 'acme',
    certificates: [makeRoot(dates).der],
    revocation: 'prefer',
    isUnproven: true,
    sources: noSources,
  } as const
  const { fingerprint } = await addAnchor(machine.hub, actor, order)
  const copy = await machine.backUp()
  const place = { anchorId: 'acme', issuer: fingerprint, part: '' }
  const given = { ...place, thisUpdateMs: 1_700_000_000_000, nextUpdateMs: 1_800_000_000_000, givenAtMs: 1 }
  await machine.hub.store.write(async (tx) => {
    await tx.anchors.saveCrl({ ...given, crl: new Uint8Array([0x30, 0]) })
    const { anchorId, thisUpdateMs: crlThisUpdateMs } = given
    await tx.events.append({ type: 'anchor-changed', anchorId, fingerprint, state: 'trusted', crlThisUpdateMs })
  })
  await machine.restore(copy)
  assert.equal((await machine.hub.store.anchors.find('acme'))?.revocation, 'require')
})

test('revocations of a trust anchor count as strictly as they did last, and an authority below it that was taken away is gone', async (t) => {
  const machine = await TimeMachine.start(t)
  const maker = authority('ACME')
  const [kept, gone] = [authority('kept', maker), authority('gone', maker)]
  await trusted(machine.hub, maker, { revocation: 'ignore', below: [kept, gone] })
  const copy = await machine.backUp()
  await editAnchor(machine.hub, actor, 'acme', { revocation: 'prefer', below: [kept.der] })
  await machine.restore(copy)
  const row = await machine.hub.store.anchors.find('acme')
  assert.deepEqual([row?.revocation, row?.below, row?.state], ['prefer', kept.pem, 'trusted'])
})

test('of the CRLs of a trust anchor those are wanted again that are lost, at once where they can be fetched', async (t) => {
  const machine = await TimeMachine.start(t)
  const { hub } = machine
  const url = 'http://crl.acme.example/a.crl'
  const maker = authority('ACME')
  const line = authority('line', maker)
  await trusted(hub, maker, { revocation: 'prefer', below: [line], sources: { crlUrls: [url] } })
  const thisUpdateSec = Math.floor(hub.clock.nowMs() / 1000) - 60
  await giveCrl(hub, actor, 'acme', crlOf(maker, [], { thisUpdateSec }))
  const later = hub.clock.nowMs() + 86_400_000
  await hub.store.write(async (tx) => {
    for (const row of await tx.anchors.fetches('acme')) await tx.anchors.saveFetch({ ...row, dueAtMs: later })
  })
  const copy = await machine.backUp()
  await giveCrl(machine.hub, actor, 'acme', crlOf(line, ['4711'], { thisUpdateSec }))
  await machine.restore(copy)
  const { anchors } = machine.hub.store
  assert.equal((await anchors.find('acme'))?.revocation, 'require')
  assert.equal((await anchors.crlHeads('acme')).length, 1)
  assert.ok(((await anchors.fetches('acme'))[0]?.dueAtMs ?? later) < later)
})

/** Certificates that are accepted by their thumbprint. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseIdentityId } from '../../src/core/identity/id.ts'
import { extendedKeyUsage } from '../../src/core/x509/extensions.ts'
import { oids } from '../../src/core/x509/oids.ts'
import { registryAdmission } from '../../src/hub/admit.ts'
import { pinnedWay } from '../../src/hub/admit-pinned.ts'
import { changeDeviceState, revokeDevice } from '../../src/hub/change-identity.ts'
import { type Entrant, gateAdmission, type Refusal } from '../../src/hub/gate-admission.ts'
import { type PinOrder, pinCertificate, unpinCertificate } from '../../src/hub/pin-certificates.ts'
import { nowSec } from '../../src/hub/ports/clock.ts'
import { type HubParts, hubParts, registered } from '../support/hub-parts.ts'
import { ownCertificate } from '../support/own-certificate.ts'

const id = parseIdentityId('meadow-1')
const order = (certificate: Uint8Array, rest: Partial<PinOrder> = {}): PinOrder => ({
  ...{ certificate, slot: 'primary', datesCount: true, replace: false },
  ...rest,
})

async function hubWith(
  t: Parameters<typeof hubParts>[0],
): Promise<{ hub: HubParts; judge: (der: Uint8Array) => Promise<Entrant | Refusal> }> {
  const hub = await hubParts(t)
  await registered(hub, 'meadow-1')
  const admission = gateAdmission(registryAdmission(hub), [pinnedWay(hub)])
  return { hub, judge: (certificate) => admission.judge({ certificate, listener: 'mqtt', verdict: null }) }
}

const outcome = (judged: Entrant | Refusal): string =>
  judged.admitted ? `${judged.identity.id} ${judged.proof.kind}` : judged.code

test('a pinned certificate speaks for its identity, and one that is not pinned for nobody', async (t) => {
  const { hub, judge } = await hubWith(t)
  const [own, other] = [ownCertificate('whatever'), ownCertificate('meadow-1')]
  await pinCertificate(hub, hub.actor, id, order(own.der))
  assert.equal(outcome(await judge(own.der)), 'meadow-1 pinned')
  assert.equal(outcome(await judge(other.der)), 'certificate-self-signed')
})

test('the dates of a pinned certificate count, or do not, as its operator says', async (t) => {
  const { hub, judge } = await hubWith(t)
  const validity = { notBeforeSec: 1_000_000_000, notAfterSec: 1_000_086_400 }
  const [counting, free] = [ownCertificate('a', { validity }), ownCertificate('b', { validity })]
  await assert.rejects(pinCertificate(hub, hub.actor, id, order(counting.der)), { code: 'pin-refused' })
  const short = ownCertificate('c', { validity: { notBeforeSec: 1_000_000_000, notAfterSec: nowSec(hub.clock) + 60 } })
  await pinCertificate(hub, hub.actor, id, order(short.der))
  await pinCertificate(hub, hub.actor, id, order(free.der, { slot: 'secondary', datesCount: false }))
  hub.clock.advance(120_000)
  assert.equal(outcome(await judge(short.der)), 'certificate-expired')
  const judged = await judge(free.der)
  assert.ok(judged.admitted && judged.proof.kind === 'pinned')
  assert.equal(judged.proof.notAfterSec, null)
})

test('one slot is exchanged while the other works', async (t) => {
  const { hub, judge } = await hubWith(t)
  const [first, second, third] = [ownCertificate('1'), ownCertificate('2'), ownCertificate('3')]
  await pinCertificate(hub, hub.actor, id, order(first.der))
  await pinCertificate(hub, hub.actor, id, order(second.der, { slot: 'secondary' }))
  await assert.rejects(pinCertificate(hub, hub.actor, id, order(third.der)), { code: 'pin-exists' })
  await assert.rejects(pinCertificate(hub, hub.actor, id, order(second.der)), { code: 'pin-exists' })
  await unpinCertificate(hub, hub.actor, id, 'primary')
  assert.equal(outcome(await judge(first.der)), 'certificate-self-signed')
  assert.equal(outcome(await judge(second.der)), 'meadow-1 pinned')
  await pinCertificate(hub, hub.actor, id, order(third.der, { slot: 'secondary', replace: true }))
  assert.equal(outcome(await judge(second.der)), 'certificate-self-signed')
  assert.equal(outcome(await judge(third.der)), 'meadow-1 pinned')
  await assert.rejects(unpinCertificate(hub, hub.actor, id, 'primary'), { code: 'pin-not-found' })
})

test('a pinned certificate opens nothing for an identity that is disabled', async (t) => {
  const { hub, judge } = await hubWith(t)
  const own = ownCertificate('x')
  await pinCertificate(hub, hub.actor, id, order(own.der))
  await changeDeviceState(hub, hub.actor, id, 'disabled')
  assert.equal(outcome(await judge(own.der)), 'identity-disabled')
})

test('a device that is revoked or retired has no pinned certificate any more, also when it is enabled again', async (t) => {
  const { hub, judge } = await hubWith(t)
  const own = ownCertificate('x')
  await pinCertificate(hub, hub.actor, id, order(own.der))
  await revokeDevice(hub, hub.actor, id, 'keyCompromise')
  await changeDeviceState(hub, hub.actor, id, 'active')
  assert.equal(outcome(await judge(own.der)), 'certificate-self-signed')
  await pinCertificate(hub, hub.actor, id, order(ownCertificate('y').der))
  await changeDeviceState(hub, hub.actor, id, 'retired')
  assert.deepEqual(await hub.store.pins.ofIdentity(id), [])
})

test('the first use of a pinned certificate is written down once, and not after it was removed', async (t) => {
  const { hub, judge } = await hubWith(t)
  const own = ownCertificate('x')
  const way = pinnedWay(hub)
  await pinCertificate(hub, hub.actor, id, order(own.der))
  const entrant = await judge(own.der)
  assert.ok(entrant.admitted)
  assert.equal(outcome(await way.confirmUse(entrant)), 'meadow-1 pinned')
  const [pin] = await hub.store.pins.ofIdentity(id)
  assert.equal(pin?.usedAtMs, hub.clock.nowMs())
  await unpinCertificate(hub, hub.actor, id, 'primary')
  assert.equal(outcome(await way.confirmUse(entrant)), 'pin-removed')
})

test('a certificate that is for servers, or that the hub has issued, cannot be pinned', async (t) => {
  const { hub } = await hubWith(t)
  const server = ownCertificate('x', { extensions: [extendedKeyUsage([oids.serverAuth])] })
  await assert.rejects(pinCertificate(hub, hub.actor, id, order(server.der)), { code: 'pin-refused' })
  const nobody = parseIdentityId('nobody')
  await assert.rejects(pinCertificate(hub, hub.actor, nobody, order(ownCertificate('x').der)), {
    code: 'identity-not-found',
  })
})

/** First uses that a gate on another machine tells of: nothing of what it says is taken but names. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { confirmerOver } from '../../src/compose/gates/open-gate.ts'
import { parseIdentityId } from '../../src/core/identity/id.ts'
import type { IdentificationRule } from '../../src/core/policy/model.ts'
import { linkAdmission } from '../../src/hub/admit.ts'
import { changeIdentityState } from '../../src/hub/change-identity.ts'
import { type ClaimedUse, confirmClaimedUse } from '../../src/hub/confirm-claimed-use.ts'
import { editIdentity } from '../../src/hub/edit-device.ts'
import { enrol } from '../../src/hub/enrol.ts'
import { grantToken } from '../../src/hub/register-device.ts'
import { registerIdentity } from '../../src/hub/register-identity.ts'
import { deviceRequest, type HubParts, hubParts, registered } from '../support/hub-parts.ts'

const rule: IdentificationRule = {
  ...{ name: 'makers', anchors: ['maker'], listeners: [], from: 'cn', match: null, identity: '${cn}' },
  ...{ onUnknown: 'create', group: 'line-1', place: { line: 1, column: 1 } },
}

function confirm(hub: HubParts, use: ClaimedUse, rules: readonly IdentificationRule[] = []) {
  const { store, clock } = hub
  const policy = { identificationRules: () => rules }
  return confirmClaimedUse({ store, clock, policy, confirmUse: confirmerOver(hub) }, use)
}

async function enrolled(hub: HubParts, id: string) {
  const { tokenText } = await registered(hub, id)
  return enrol(hub, { tokenText, claimedId: id, certificateRequest: deviceRequest(id).certificateRequest })
}

const idOf = parseIdentityId

test('the first use of a certificate is written by its fingerprint', async (t) => {
  const hub = await hubParts(t)
  const { fingerprint } = await enrolled(hub, 'pump-7')
  const outcome = await confirm(hub, { identityId: idOf('pump-7'), proof: { kind: 'issued', fingerprint } })
  assert.equal(outcome.admitted, true)
  assert.equal((await hub.store.credentials.find(fingerprint))?.state, 'active')
})

test('a certificate is not used in the name of somebody else, nor one that there is not', async (t) => {
  const hub = await hubParts(t)
  const { fingerprint } = await enrolled(hub, 'pump-7')
  await registered(hub, 'pump-8')
  for (const [id, name] of [
    ['pump-8', fingerprint],
    ['pump-7', 'ab'.repeat(32)],
  ] as const) {
    const outcome = await confirm(hub, { identityId: idOf(id), proof: { kind: 'issued', fingerprint: name } })
    assert.partialDeepStrictEqual(outcome, { admitted: false, code: 'certificate-unknown-serial' })
  }
  assert.equal((await hub.store.credentials.find(fingerprint))?.state, 'pending')
})

test('what is wrong by now refuses it, whatever the gate has judged', async (t) => {
  const hub = await hubParts(t)
  const { fingerprint } = await enrolled(hub, 'pump-7')
  await changeIdentityState(hub, hub.actor, { kind: 'device', id: idOf('pump-7') }, 'disabled')
  const outcome = await confirm(hub, { identityId: idOf('pump-7'), proof: { kind: 'issued', fingerprint } })
  assert.partialDeepStrictEqual(outcome, { admitted: false, code: 'identity-disabled' })
})

test('nobody is registered by a rule that the policy does not have, or below an authority that is not trusted', async (t) => {
  const hub = await hubParts(t)
  const proof = {
    kind: 'anchored',
    anchorId: 'maker',
    rule: 'makers',
    fingerprint: 'ab'.repeat(32),
    notAfterSec: 1,
  } as const
  const claim = { identityId: idOf('press-1'), proof }
  for (const rules of [[], [{ ...rule, onUnknown: 'deny' as const }], [{ ...rule, anchors: ['other'] }]]) {
    assert.partialDeepStrictEqual(await confirm(hub, claim, rules), { admitted: false, code: 'identity-not-found' })
  }
  assert.partialDeepStrictEqual(await confirm(hub, claim, [rule]), { admitted: false, code: 'anchor-distrusted' })
  assert.equal(await hub.store.identities.find(idOf('press-1')), null)
})

test('a pinned certificate that is not pinned for this identity is refused', async (t) => {
  const hub = await hubParts(t)
  await registered(hub, 'pump-7')
  const proof = { kind: 'pinned', fingerprint: 'ab'.repeat(32) } as const
  const outcome = await confirm(hub, { identityId: idOf('pump-7'), proof })
  assert.partialDeepStrictEqual(outcome, { admitted: false, code: 'pin-removed' })
})

/** A service that is a gate, with its certificate. */
async function gate(t: TestContext) {
  const hub = await hubParts(t)
  const id = idOf('gate-2')
  const names = { dnsNames: ['gate-2.plant.example'], ipAddresses: [], emails: [] }
  const order = { kind: 'service', id, group: null, attributes: {}, names, profiles: ['gate', 'device'] } as const
  await registerIdentity(hub, hub.actor, order)
  const enrolAs = async (profile: string): Promise<Uint8Array> => {
    const { tokenText } = await grantToken(hub, hub.actor, id, 3_600, { profile }, 'service')
    const { certificateRequest } = deviceRequest(id)
    return (await enrol(hub, { tokenText, claimedId: id, certificateRequest })).certificate
  }
  return { hub, id, enrolAs, link: linkAdmission(hub) }
}

test('a gate links itself with a certificate of its profile, which is written to be used', async (t) => {
  const { hub, link, enrolAs } = await gate(t)
  const judged = await link.judge(await enrolAs('gate'))
  assert.ok(judged.admitted)
  await link.confirmUse(judged)
  assert.equal((await hub.store.credentials.find(judged.credential.fingerprint))?.state, 'active')
})

test('another certificate of the same service opens no link, nor does that of a device', async (t) => {
  const { hub, link, enrolAs } = await gate(t)
  const { certificate } = await enrolled(hub, 'pump-7')
  for (const each of [await enrolAs('device'), certificate]) {
    assert.partialDeepStrictEqual(await link.judge(each), { admitted: false, code: 'certificate-wrong-usage' })
  }
})

test('a service that is granted to be a gate no more opens no link', async (t) => {
  const { hub, id, link, enrolAs } = await gate(t)
  const certificate = await enrolAs('gate')
  await editIdentity(hub, hub.actor, { kind: 'service', id }, { profiles: ['device'] }, null)
  assert.partialDeepStrictEqual(await link.judge(certificate), { admitted: false, code: 'certificate-wrong-usage' })
})

test('the certificate of a gate says the names of the registry and nothing that a request asks for', async (t) => {
  const { enrolAs } = await gate(t)
  const certificate = new X509Certificate(await enrolAs('gate'))
  assert.equal(certificate.checkHost('gate-2.plant.example'), 'gate-2.plant.example')
  assert.deepEqual([...(certificate.keyUsage ?? [])].sort(), ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
})

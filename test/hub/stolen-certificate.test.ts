/** What the holder of a stolen certificate, or of a key that was called compromised, does not get. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deviceProfile } from '../../src/core/profile/built-in.ts'
import { makeKey } from '../../src/device/certificate-request.ts'
import { revokeCertificate } from '../../src/hub/change-identity.ts'
import { addProfile } from '../../src/hub/change-profiles.ts'
import { enrol } from '../../src/hub/enrol.ts'
import { grantToken } from '../../src/hub/register-device.ts'
import { RenewalBed } from '../support/renewal-bed.ts'

async function tokenOf({ hub, id }: RenewalBed) {
  return (await grantToken(hub, hub.actor, id, 3_600)).tokenText
}

test('a label leads to no profile that wants approval, since the certificate has not had that one', async (t) => {
  const { bed, first } = await RenewalBed.start(t)
  await addProfile(bed.hub, bed.hub.actor, { ...deviceProfile, name: 'strict', approval: true })
  await bed.hub.store.write(async (tx) => {
    const identity = await tx.identities.find(bed.id)
    assert.ok(identity !== null)
    await tx.identities.update({ ...identity, profiles: ['device', 'strict'] })
  })
  await assert.rejects(bed.renew(first, makeKey(), 'strict'), { code: 'profile-not-granted' })
})

test('a key that was called compromised is not taken again, not with a token either', async (t) => {
  const { bed, key, first } = await RenewalBed.start(t)
  await revokeCertificate(bed.hub, bed.hub.actor, first.serialNumber, 'keyCompromise')
  const tokenText = await tokenOf(bed)
  const asked = (keyPem: typeof key) =>
    enrol(bed.hub, { tokenText, claimedId: '', certificateRequest: bed.csr(keyPem) })
  await assert.rejects(asked(key), { code: 'renewal-key-compromised' })
  assert.equal(await bed.connect(await asked(makeKey())), 'active')
})

test('a renewal that waits goes when its owner enrols anew: who holds it takes nobody’s place', async (t) => {
  const { bed, first } = await RenewalBed.start(t)
  const thiefs = await bed.renew(first, makeKey())
  const certificateRequest = bed.csr(makeKey())
  const fresh = await enrol(bed.hub, { tokenText: await tokenOf(bed), claimedId: '', certificateRequest })
  assert.equal(await bed.connect(fresh), 'active')
  assert.notEqual(await bed.connect(thiefs), 'active')
  assert.equal(await bed.stateOf(thiefs), 'revoked')
  assert.equal(await bed.stateOf(fresh), 'active')
})

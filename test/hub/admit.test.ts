import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import type { Credential } from '../../src/core/identity/credential.ts'
import { rootTemplate } from '../../src/core/profile/templates.ts'
import { signedCertificate, toBeSigned } from '../../src/core/x509/certificate-builder.ts'
import { buildName } from '../../src/core/x509/name.ts'
import { decodePem } from '../../src/core/x509/pem.ts'
import { registryAdmission } from '../../src/hub/admit.ts'
import { changeDeviceState, revokeCertificate, revokeDevice } from '../../src/hub/change-identity.ts'
import { enrol } from '../../src/hub/enrol.ts'
import type { Judgement } from '../../src/hub/judgement.ts'
import { grantToken } from '../../src/hub/register-device.ts'
import { currentServerCertificate } from '../../src/hub/server-certificate.ts'
import { deviceRequest, type HubParts, hubParts, registered } from '../support/hub-parts.ts'

async function enrolled(hub: HubParts, id: string): Promise<Credential> {
  const { tokenText } = await registered(hub, id)
  return enrol(hub, { tokenText, claimedId: id, ...deviceRequest(id) })
}

function codeOf(judgement: Judgement): string | null {
  return judgement.admitted ? null : judgement.code
}

async function admitted(hub: HubParts, credential: Credential): Promise<Judgement & { admitted: true }> {
  const judgement = await registryAdmission(hub).judge(credential.certificate)
  assert.ok(judgement.admitted, codeOf(judgement) ?? '')
  return judgement
}

test('a certificate of ours is its row: one changed byte makes it a stranger', async (t) => {
  const hub = await hubParts(t)
  const { certificate } = await enrolled(hub, 'pump-7')
  const { judge } = registryAdmission(hub)
  assert.equal((await judge(certificate)).admitted, true)
  const forged = Uint8Array.from(certificate)
  const last = forged.length - 1
  forged[last] = (forged[last] ?? 0) ^ 1
  assert.equal(codeOf(await judge(forged)), 'certificate-forged')
})

test('bytes that are no certificate are refused and do no harm', async (t) => {
  const hub = await hubParts(t)
  const { judge } = registryAdmission(hub)
  const { certificate } = await enrolled(hub, 'pump-7')
  assert.equal(codeOf(await judge(null)), 'certificate-missing')
  for (const length of [0, 1, 2, 50, certificate.length - 1]) {
    assert.equal(codeOf(await judge(certificate.subarray(0, length))), 'certificate-unreadable', `${length} bytes`)
  }
})

test('the first use makes a credential active, and the one before it superseded but still good', async (t) => {
  const hub = await hubParts(t)
  const admission = registryAdmission(hub)
  const first = await enrolled(hub, 'pump-7')
  const used = await admission.confirmUse(await admitted(hub, first))
  assert.ok(used.admitted && used.credential.state === 'active')

  const { tokenText } = await grantToken(hub, hub.actor, first.identityId, 3_600)
  const second = await enrol(hub, { tokenText, claimedId: '', ...deviceRequest('pump-7') })
  await admission.confirmUse(await admitted(hub, second))
  const states = (await hub.store.credentials.listOfIdentity(first.identityId, { after: null, limit: 9 })).items
  assert.deepEqual(
    new Map(states.map(({ serialNumber, state }) => [serialNumber, state])),
    new Map([
      [second.serialNumber, 'active'],
      [first.serialNumber, 'superseded'],
    ]),
  )
  assert.equal((await admission.judge(first.certificate)).admitted, true)
})

test('a revocation between judgement and first use wins', async (t) => {
  const hub = await hubParts(t)
  const credential = await enrolled(hub, 'pump-7')
  const judgement = await admitted(hub, credential)
  await revokeDevice(hub, hub.actor, credential.identityId, 'unspecified')
  assert.equal(codeOf(await registryAdmission(hub).confirmUse(judgement)), 'certificate-revoked')
})

test('revoking one certificate leaves the identity active and its other certificates good', async (t) => {
  const hub = await hubParts(t)
  const first = await enrolled(hub, 'pump-7')
  const { tokenText } = await grantToken(hub, hub.actor, first.identityId, 3_600)
  const second = await enrol(hub, { tokenText, claimedId: '', ...deviceRequest('pump-7') })
  const change = await revokeCertificate(hub, hub.actor, first.serialNumber, 'superseded')
  assert.equal(change.identity.state, 'active')
  const { judge } = registryAdmission(hub)
  assert.equal(codeOf(await judge(first.certificate)), 'certificate-revoked')
  assert.equal((await judge(second.certificate)).admitted, true)
})

test('a retired identity is refused, and its id is never given again', async (t) => {
  const hub = await hubParts(t)
  const credential = await enrolled(hub, 'pump-7')
  await changeDeviceState(hub, hub.actor, credential.identityId, 'retired')
  assert.equal(codeOf(await registryAdmission(hub).judge(credential.certificate)), 'certificate-revoked')
  await assert.rejects(registered(hub, 'pump-7'), { code: 'identity-exists' })
  await assert.rejects(changeDeviceState(hub, hub.actor, credential.identityId, 'active'), {
    code: 'transition-illegal',
  })
})

test('dates are judged at every connection, to the second', async (t) => {
  const hub = await hubParts(t)
  const credential = await enrolled(hub, 'pump-7')
  const { judge } = registryAdmission(hub)
  hub.clock.advance(credential.notAfterSec * 1000 - hub.clock.nowMs())
  assert.equal((await judge(credential.certificate)).admitted, true)
  hub.clock.advance(1_000)
  const late = await judge(credential.certificate)
  assert.ok(!late.admitted)
  assert.equal(late.code, 'certificate-expired')
  assert.match(late.sentence, /of pump-7 expired 1 s ago/)
  hub.clock.advance(-20 * 86_400_000)
  assert.equal(codeOf(await judge(credential.certificate)), 'certificate-not-yet-valid')
})

test('the server certificate of the hub cannot connect as a client', async (t) => {
  const hub = await hubParts(t)
  const { chain } = await currentServerCertificate(hub, { dnsNames: ['hub.plant.example'], ipAddresses: [] })
  const [leaf] = decodePem(chain)
  assert.ok(leaf !== undefined)
  assert.equal(codeOf(await registryAdmission(hub).judge(leaf.der)), 'certificate-wrong-usage')
})

test('what an attempt keeps of a stranger is bounded, however long its names and serial number are', async (t) => {
  const hub = await hubParts(t)
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const template = rootTemplate({
    name: 'x',
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
    serialNumber: new Uint8Array(20).fill(0x41),
    validity: { notBeforeSec: 0, notAfterSec: 1 },
  })
  const names = { subject: buildName('y'.repeat(9_000)), issuer: buildName('z'.repeat(4_000)) }
  const long = { ...template, ...names, authorityKeyIdentifier: new Uint8Array(20) }
  const tbs = toBeSigned(long)
  const judgement = await registryAdmission(hub).judge(signedCertificate(tbs, sign('sha256', tbs, privateKey)))
  assert.equal(codeOf(judgement), 'certificate-is-authority')
  assert.ok(JSON.stringify(judgement).length < 3_000)
})

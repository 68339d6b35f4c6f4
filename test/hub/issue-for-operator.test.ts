/** Certificates that an operator orders: for whom, of which profile, and what happens to them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Credential } from '../../src/core/identity/credential.ts'
import { parseIdentityId } from '../../src/core/identity/id.ts'
import { noNames } from '../../src/core/identity/identity.ts'
import { limits } from '../../src/core/limits.ts'
import { emptyOrder, type Order } from '../../src/core/profile/order.ts'
import { readCertificate } from '../../src/core/x509/certificate.ts'
import { oids } from '../../src/core/x509/oids.ts'
import { certificateRequestWith, newP256Key } from '../../src/device/private-key.ts'
import { changeIdentityState } from '../../src/hub/change-identity.ts'
import { issueForOperator, type OperatorIssuance } from '../../src/hub/issue-for-operator.ts'
import { type NewIdentity, registerIdentity } from '../../src/hub/register-identity.ts'
import { type HubParts, hubParts, registered } from '../support/hub-parts.ts'

const brokerNames = { ...noNames, dnsNames: ['broker.plant.example'], ipAddresses: ['10.3.0.11'] }

async function withBroker(
  t: { after(step: () => unknown): void },
  change: Partial<NewIdentity> = {},
): Promise<HubParts> {
  const hub = await hubParts(t)
  await registerIdentity(hub, hub.actor, {
    ...{ kind: 'service', id: 'broker', group: null, attributes: {}, names: brokerNames, profiles: null },
    ...change,
  })
  return hub
}

interface Wanted {
  readonly id?: string
  readonly profile?: string
  readonly request?: Uint8Array
  readonly order?: Partial<Order>
}

function order(hub: HubParts, wanted: Wanted = {}): Promise<OperatorIssuance> {
  const id = wanted.id ?? 'broker'
  return issueForOperator(hub, hub.actor, {
    id: parseIdentityId(id),
    profile: wanted.profile ?? 'server',
    certificateRequest: wanted.request ?? certificateRequestWith(id, newP256Key()),
    order: { ...emptyOrder, ...wanted.order },
    chain: 'main',
  })
}

async function statesOf(hub: HubParts, id: string): Promise<readonly Credential['state'][]> {
  const { items } = await hub.store.credentials.listOfIdentity(parseIdentityId(id), { after: null, limit: 100 })
  return items.map(({ state }) => state)
}

test('a server certificate has the names of the registry, and is active from its issue on', async (t) => {
  const hub = await withBroker(t)
  const { credential } = await order(hub)
  const fields = readCertificate(credential.certificate)
  assert.deepEqual(fields.dnsNames, brokerNames.dnsNames)
  assert.deepEqual(fields.ipAddresses, brokerNames.ipAddresses)
  assert.deepEqual(fields.uris, ['spiffe://plant.example/service/broker'])
  assert.deepEqual(fields.extendedKeyUsage, [oids.serverAuth])
  assert.equal(credential.state, 'active')
  assert.deepEqual(await hub.store.credentials.find(credential.fingerprint), credential)
  assert.equal(credential.parentSerial, null)
})

test('a certificate that connects to the gate is pending until its first use', async (t) => {
  const hub = await hubParts(t)
  await registered(hub, 'pump-7')
  assert.equal((await order(hub, { id: 'pump-7', profile: 'device' })).credential.state, 'pending')
})

test('a certificate of a person has the addresses of the registry', async (t) => {
  const names = { ...noNames, emails: ['anna@plant.example'] }
  const hub = await withBroker(t, { kind: 'user', id: 'anna', names })
  const { credential } = await order(hub, { id: 'anna', profile: 'user' })
  assert.deepEqual(readCertificate(credential.certificate).emails, ['anna@plant.example'])
  assert.equal(credential.state, 'active')
})

test('an order decides what the profile leaves to it, and nothing else', async (t) => {
  const hub = await withBroker(t)
  const { credential } = await order(hub, { order: { dnsNames: ['second.plant.example'], lifetimeSec: 60 * 86_400 } })
  assert.deepEqual(readCertificate(credential.certificate).dnsNames, ['broker.plant.example', 'second.plant.example'])
  const lastSec = Math.floor(hub.clock.nowMs() / 1000) + 60 * 86_400 - 1
  assert.equal(credential.notAfterSec, lastSec)
  for (const excess of [
    { lifetimeSec: 400 * 86_400 },
    { extendedKeyUsage: [oids.clientAuth] },
    { emails: ['anna@plant.example'] },
  ]) {
    await assert.rejects(order(hub, { order: excess }), { code: 'order-asks-too-much' }, JSON.stringify(excess))
  }
  await registered(hub, 'pump-7')
  const named = { id: 'pump-7', profile: 'device', order: { dnsNames: ['broker.plant.example'] } }
  await assert.rejects(order(hub, named), { code: 'order-asks-too-much' })
})

test('an order reaches no profile that the identity has not been granted', async (t) => {
  const hub = await withBroker(t)
  await registered(hub, 'pump-7')
  await assert.rejects(order(hub, { profile: 'device' }), { code: 'profile-not-granted' })
  await assert.rejects(order(hub, { id: 'pump-7', profile: 'server' }), { code: 'profile-not-granted' })
  for (const own of ['root', 'issuing', 'ocsp', 'none']) {
    await assert.rejects(order(hub, { profile: own }), { code: 'profile-not-granted' }, own)
  }
})

test('nobody orders a certificate in the name of the hub, of an id that is not there, or of one that is cut off', async (t) => {
  const hub = await withBroker(t)
  await assert.rejects(
    registerIdentity(hub, hub.actor, {
      ...{ kind: 'service', id: 'hub', group: null, attributes: {}, names: brokerNames, profiles: null },
    }),
    { code: 'identity-of-hub' },
  )
  await assert.rejects(order(hub, { id: 'nobody' }), { code: 'identity-not-found' })
  const broker = { kind: 'service', id: parseIdentityId('broker') } as const
  await changeIdentityState(hub, hub.actor, broker, 'disabled')
  await assert.rejects(order(hub), { code: 'identity-disabled' })
  await changeIdentityState(hub, hub.actor, broker, 'retired')
  await assert.rejects(order(hub), { code: 'identity-retired' })
  assert.deepEqual(await statesOf(hub, 'broker'), [])
})

test('a request must prove its key and ask for nothing that the certificate will not say', async (t) => {
  const hub = await withBroker(t)
  const request = certificateRequestWith('broker', newP256Key())
  const bent = Uint8Array.from(request)
  bent[bent.length - 1] = (bent.at(-1) ?? 0) ^ 1
  await assert.rejects(order(hub, { request: bent }), { code: 'csr-signature-invalid' })
  await assert.rejects(order(hub, { request: request.subarray(0, 40) }), { code: 'csr-unreadable' })
  const other = certificateRequestWith('somebody-else', newP256Key())
  await assert.rejects(order(hub, { request: other }), { code: 'csr-asks-too-much' })
})

test('a second certificate supersedes nothing: what a broker serves goes on being good', async (t) => {
  const hub = await withBroker(t)
  await order(hub)
  await order(hub)
  assert.deepEqual(await statesOf(hub, 'broker'), ['active', 'active'])
})

test('the same order for the same key is answered once, until it is old or asks for something else', async (t) => {
  const hub = await withBroker(t)
  const request = certificateRequestWith('broker', newP256Key())
  const { credential: first } = await order(hub, { request })
  assert.equal((await order(hub, { request })).credential.fingerprint, first.fingerprint)
  assert.deepEqual(hub.observer.lines, ['issuance server issued', 'issuance server repeated'])
  const longer = await order(hub, { request, order: { lifetimeSec: 60 * 86_400 } })
  assert.notEqual(longer.credential.fingerprint, first.fingerprint)
  hub.clock.advance((limits.orderRepeatedSec + 1) * 1000)
  assert.notEqual((await order(hub, { request })).credential.fingerprint, first.fingerprint)
  assert.equal((await statesOf(hub, 'broker')).length, 3)
})

test('two of the same order that come at once give one certificate, and no signature without a record', async (t) => {
  const hub = await withBroker(t)
  const request = certificateRequestWith('broker', newP256Key())
  const [one, two] = await Promise.all([order(hub, { request }), order(hub, { request })])
  assert.equal(one.credential.fingerprint, two.credential.fingerprint)
  assert.deepEqual((await statesOf(hub, 'broker')).toSorted(), ['active', 'intended'])
})

test('who may not is refused before anything is signed, and again when it is written', async (t) => {
  const hub = await withBroker(t)
  const request = {
    ...{ id: parseIdentityId('broker'), profile: 'server', order: emptyOrder, chain: 'main' },
    certificateRequest: certificateRequestWith('broker', newP256Key()),
  }
  let asked = 0
  const mayOnce = () => {
    asked += 1
    if (asked > 1) throw new Error('not any more')
  }
  await assert.rejects(issueForOperator(hub, hub.actor, request, { mayIssue: mayOnce }), /not any more/)
  assert.deepEqual(await statesOf(hub, 'broker'), ['intended'])
})

test('an order is an act in the audit log, with profile and names, and events for whoever follows', async (t) => {
  const hub = await withBroker(t)
  const { credential } = await order(hub)
  const { items } = await hub.store.audit.list({ after: null, limit: 10 })
  const act = items.find((entry) => entry.act === 'credential.issue')
  assert.equal(act?.actor, hub.actor)
  assert.deepEqual(act?.after, {
    ...{ serialNumber: credential.serialNumber, profile: 'server' },
    ...{ dnsNames: brokerNames.dnsNames, ipAddresses: brokerNames.ipAddresses },
    notAfter: new Date(credential.notAfterSec * 1000).toISOString(),
  })
  const types = (await hub.store.events.after(0, 100)).map(({ type }) => type)
  assert.deepEqual(types.slice(-2), ['credential-issued', 'credential-activated'])
})

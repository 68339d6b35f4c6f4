/** A live session on a certificate that another one has followed, over real TLS, with a clock that the test sets. */
// one database: the registry is that of the test; `renew-under-load` and `first-device` close sessions on both
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closeSessions } from '../../src/compose/live-changes.ts'
import type { Credential } from '../../src/core/identity/credential.ts'
import { defaultListener } from '../../src/core/listener/listener-settings.ts'
import { Secret } from '../../src/core/secret.ts'
import { encodePem } from '../../src/core/x509/pem.ts'
import { makeKey } from '../../src/device/certificate-request.ts'
import { startGate } from '../../src/gate/gate.ts'
import { registryAdmission } from '../../src/hub/admit.ts'
import { endOverlapsNow } from '../../src/hub/end-overlaps.ts'
import { followEvents } from '../../src/hub/follow-events.ts'
import { gateAdmission } from '../../src/hub/gate-admission.ts'
import { serverCertificate, type TestCertificate } from '../gate/certificates.ts'
import { FakeUpstream } from '../gate/fake-upstream.ts'
import { rawClient } from '../gate/raw-client.ts'
import { Attempts } from '../gate/test-gate.ts'
import { RenewalBed } from '../support/renewal-bed.ts'

const dayMs = 86_400_000

function asFiles(credential: Credential, key: Secret): TestCertificate {
  const { certificate, fingerprint } = credential
  return { key: key.reveal(), cert: encodePem('CERTIFICATE', certificate), fingerprint }
}

test('at the end of the overlap the session on the old certificate closes, and the one on the new one lives', async (t) => {
  const { bed, key, first } = await RenewalBed.start(t)
  const { hub } = bed
  const attempts = new Attempts()
  const gate = await startGate({
    ...{ listeners: [defaultListener('127.0.0.1', 0)], sessionTickets: false },
    certificate: { key: new Secret(serverCertificate.key), chain: serverCertificate.cert },
    admission: gateAdmission(registryAdmission(hub)),
    ...{ attempts, observer: hub.observer, upstream: new FakeUpstream() },
    ...{ clock: hub.clock, random: hub.random, log: hub.log },
  })
  t.after(() => gate.stop())
  const follower = followEvents(hub, await hub.store.events.last(), (event) => closeSessions(gate, event))
  t.after(() => follower.stop())
  const session = async (credential: Credential, itsKey: Secret, clientId: string) => {
    const client = await rawClient(gate.address.port, asFiles(credential, itsKey))
    client.connect({ clientId })
    assert.equal((await client.next('connack')).reasonCode, 0)
    return client
  }

  const onOld = await session(first, key, 'old')
  const newKey = makeKey()
  const next = await bed.renew(first, newKey)
  const onNew = await session(next, newKey, 'new')
  assert.equal(await bed.stateOf(first), 'superseded')
  bed.wait(dayMs - 1)
  await endOverlapsNow(hub)
  await follower.catchUp()
  assert.equal(gate.sessionCount(), 2)

  bed.wait(1)
  await endOverlapsNow(hub)
  await follower.catchUp()
  await onOld.closed
  assert.equal((await attempts.with('certificate-superseded')).clientId, 'old')
  assert.equal(gate.sessionCount(), 1)
  onNew.send({ cmd: 'pingreq' })
  await onNew.next('pingresp')
})

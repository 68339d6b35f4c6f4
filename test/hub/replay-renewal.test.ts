/** What a restored registry makes of renewals that happened after its backup: nothing is good for longer than it was. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Credential } from '../../src/core/identity/credential.ts'
import type { Secret } from '../../src/core/secret.ts'
import { certificateRequest, makeKey } from '../../src/device/certificate-request.ts'
import { registryAdmission } from '../../src/hub/admit.ts'
import { releaseCredential } from '../../src/hub/release-credential.ts'
import { registryRenewal } from '../../src/hub/renew.ts'
import { registered } from '../support/hub-parts.ts'
import { TimeMachine } from '../support/time-machine.ts'

const dayMs = 86_400_000

async function renew(machine: TimeMachine, shown: Credential, key: Secret = makeKey()): Promise<Credential> {
  const renewal = registryRenewal({ ...machine.hub, attempts: { record() {} } })
  const judged = await renewal.judge(shown.certificate)
  assert.ok(judged.admitted)
  const { credential } = judged
  const order = { credential, label: null, keyOrigin: 'holder' } as const
  return renewal.renew({ ...order, certificateRequest: certificateRequest(shown.identityId, key) })
}

async function connect(machine: TimeMachine, { certificate }: Credential): Promise<string> {
  const admission = registryAdmission(machine.hub)
  const judged = await admission.judge(certificate)
  const used = judged.admitted ? await admission.confirmUse(judged) : judged
  return used.admitted ? used.credential.state : used.code
}

test('what was superseded after the copy is so again, with the overlap that it had', async (t) => {
  const machine = await TimeMachine.start(t)
  const first = await machine.connected(await registered(machine.hub, 'pump'))
  const copy = await machine.backUp()
  const next = await renew(machine, first)
  assert.equal(await connect(machine, next), 'active')
  machine.hub.clock.advance(dayMs - 1)
  assert.equal((await machine.restore(copy)).credentialsSuperseded, 1)
  assert.equal(await connect(machine, first), 'superseded')
  assert.equal(await connect(machine, next), 'certificate-not-adopted')
  machine.hub.clock.advance(1)
  assert.equal(await connect(machine, first), 'certificate-superseded')
})

test('quarantine stays quarantine, and one that was released since waits again', async (t) => {
  const machine = await TimeMachine.start(t)
  const first = await machine.connected(await registered(machine.hub, 'pump'))
  const key = makeKey()
  await connect(machine, await renew(machine, first, key))
  const before = await renew(machine, first, key)
  assert.equal(await connect(machine, before), 'quarantined')
  const copy = await machine.backUp()
  const since = await renew(machine, before, key)
  assert.equal(await connect(machine, since), 'quarantined')
  await releaseCredential(machine.hub, 'key:test', first.identityId, since.serialNumber)
  const held = await renew(machine, first, makeKey())
  await machine.restore(copy)
  assert.equal(await connect(machine, before), 'certificate-revoked')
  assert.equal(await connect(machine, since), 'quarantined')
  assert.equal(await connect(machine, held), 'quarantined')
})

test('an alarm that was raised after the copy stands there, once', async (t) => {
  const machine = await TimeMachine.start(t)
  const first = await machine.connected(await registered(machine.hub, 'pump'))
  const copy = await machine.backUp()
  await renew(machine, first)
  const later = await renew(machine, first)
  await machine.restore(copy)
  const contests = await machine.hub.store.renewals.contestsOf(first.identityId, 9)
  assert.deepEqual(
    contests.map(({ serialNumber }) => serialNumber),
    [later.serialNumber],
  )
})

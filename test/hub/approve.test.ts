/** Keys that an operator approves before they get a certificate. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HubError } from '../../src/core/errors.ts'
import type { FailureName } from '../../src/core/failure/catalogue.ts'
import { parseIdentityId } from '../../src/core/identity/id.ts'
import { keyWords } from '../../src/core/identity/key-words.ts'
import { limits } from '../../src/core/limits.ts'
import { deviceProfile } from '../../src/core/profile/built-in.ts'
import type { Secret } from '../../src/core/secret.ts'
import { parseCertificateRequest } from '../../src/core/x509/certificate-request.ts'
import { publicKeyHash } from '../../src/core/x509/public-key.ts'
import { approveEnrolment, refuseEnrolment } from '../../src/hub/approve.ts'
import { revokeDevice } from '../../src/hub/change-identity.ts'
import { addProfile } from '../../src/hub/change-profiles.ts'
import { enrol, enrolWithServerKey } from '../../src/hub/enrol.ts'
import { grantToken, registerDevice } from '../../src/hub/register-device.ts'
import { registryRenewal } from '../../src/hub/renew.ts'
import { deviceRequest, type HubParts, hubParts } from '../support/hub-parts.ts'

const id = parseIdentityId('pump-7')

interface Asking {
  readonly hub: HubParts
  readonly tokenText: Secret
  readonly certificateRequest: Uint8Array
}

/** A device with a token that needs approval, and a request of its key. */
async function asking(t: { after(step: () => unknown): unknown }): Promise<Asking> {
  const hub = await hubParts(t)
  const order = { id, group: null, attributes: {}, tokenLifetimeSec: 86_400, needsApproval: true }
  const { tokenText } = await registerDevice(hub, hub.actor, order)
  return { hub, tokenText, certificateRequest: deviceRequest(id).certificateRequest }
}

function ask({ hub, tokenText }: Asking, certificateRequest: Uint8Array) {
  return enrol(hub, { tokenText, claimedId: id, certificateRequest })
}

function wordsOf(certificateRequest: Uint8Array): string {
  return keyWords(publicKeyHash(parseCertificateRequest(certificateRequest).publicKey))
}

async function refusalOf(work: Promise<unknown>): Promise<HubError> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof HubError, String(error))
  return error
}

async function assertRefused(work: Promise<unknown>, code: FailureName): Promise<void> {
  assert.equal((await refusalOf(work)).code, code)
}

describe('a key with a token that needs approval', () => {
  test('waits, is told its own words and when to ask again, and gets its certificate once it is approved', async (t) => {
    const here = await asking(t)
    const { hub, certificateRequest } = here
    const waits = await refusalOf(ask(here, certificateRequest))
    assert.equal(waits.code, 'enrolment-waits')
    assert.equal(waits.retryAfterSec, limits.enrolmentPollSoonSec)
    const words = wordsOf(certificateRequest)
    assert.ok(waits.message.includes(words), waits.message)

    assert.equal((await approveEnrolment(hub, hub.actor, id, words)).state, 'approved')
    const credential = await ask(here, certificateRequest)
    assert.equal(credential.state, 'pending')
    // A lost answer costs nothing here either.
    assert.equal((await ask(here, certificateRequest)).fingerprint, credential.fingerprint)
    const [row] = await hub.store.enrolmentRequests.ofIdentity(id)
    assert.equal(row?.state, 'done')
  })

  test('is one request however often it asks, and asks more slowly after a while', async (t) => {
    const here = await asking(t)
    await assertRefused(ask(here, here.certificateRequest), 'enrolment-waits')
    here.hub.clock.advance(limits.enrolmentPollSoonForSec * 1000)
    const later = await refusalOf(ask(here, here.certificateRequest))
    assert.equal(later.retryAfterSec, limits.enrolmentPollSec)
    assert.equal((await here.hub.store.enrolmentRequests.ofIdentity(id)).length, 1)
  })

  test('is told when it was refused, and does not come again', async (t) => {
    const here = await asking(t)
    await assertRefused(ask(here, here.certificateRequest), 'enrolment-waits')
    await refuseEnrolment(here.hub, here.hub.actor, id, null)
    await assertRefused(ask(here, here.certificateRequest), 'enrolment-refused')
    await assertRefused(approveEnrolment(here.hub, here.hub.actor, id, null), 'enrolment-request-not-found')
  })

  test('may wait beyond the end of its token, but not for ever', async (t) => {
    const here = await asking(t)
    await assertRefused(ask(here, here.certificateRequest), 'enrolment-waits')
    here.hub.clock.advance(2 * 86_400_000)
    await assertRefused(ask(here, here.certificateRequest), 'enrolment-waits')
    await assertRefused(ask(here, deviceRequest(id).certificateRequest), 'token-expired')
    here.hub.clock.advance(limits.enrolmentRequestWaitsSec * 1000)
    await assertRefused(ask(here, here.certificateRequest), 'token-expired')
    await assertRefused(approveEnrolment(here.hub, here.hub.actor, id, null), 'enrolment-request-not-found')
  })

  test('gets nothing when its device was revoked after the approval', async (t) => {
    const here = await asking(t)
    await assertRefused(ask(here, here.certificateRequest), 'enrolment-waits')
    await approveEnrolment(here.hub, here.hub.actor, id, null)
    await revokeDevice(here.hub, here.hub.actor, id, 'keyCompromise')
    await assertRefused(ask(here, here.certificateRequest), 'token-revoked')
  })

  test('gets nothing from an approval that a key of an earlier token had', async (t) => {
    const here = await asking(t)
    await assertRefused(ask(here, here.certificateRequest), 'enrolment-waits')
    await approveEnrolment(here.hub, here.hub.actor, id, null)
    const { tokenText } = await grantToken(here.hub, here.hub.actor, id, 86_400, { needsApproval: true })
    await assertRefused(ask({ ...here, tokenText }, here.certificateRequest), 'enrolment-waits')
  })
})

describe('a profile that wants approval', () => {
  async function strict(t: { after(step: () => unknown): unknown }): Promise<Asking> {
    const hub = await hubParts(t)
    await addProfile(hub, hub.actor, { ...deviceProfile, name: 'strict', approval: true })
    const order = { id, group: null, attributes: {}, tokenLifetimeSec: 86_400, profiles: ['strict'] }
    const { tokenText } = await registerDevice(hub, hub.actor, order)
    return { hub, tokenText, certificateRequest: deviceRequest(id).certificateRequest }
  }

  test('has it, whatever the token says; a renewal by the approved certificate is not asked about again', async (t) => {
    const here = await strict(t)
    const { hub, certificateRequest } = here
    await assertRefused(ask(here, certificateRequest), 'enrolment-waits')
    await approveEnrolment(hub, hub.actor, id, null)
    const credential = await ask(here, certificateRequest)
    assert.equal(credential.profile, 'strict')
    const renewal = registryRenewal({ ...hub, attempts: { record() {} } })
    const order = { credential, certificateRequest, label: null, keyOrigin: 'holder' } as const
    assert.equal((await renewal.renew(order)).parentSerial, credential.serialNumber)
  })

  test('has it for a key of the hub too, which is made only once the request is approved', async (t) => {
    const here = await strict(t)
    const { hub, tokenText, certificateRequest } = here
    const make = () => enrolWithServerKey(hub, { tokenText, claimedId: id, certificateRequest })
    await assertRefused(make(), 'enrolment-waits')
    assert.deepEqual((await hub.store.credentials.listOfIdentity(id, { after: null, limit: 9 })).items, [])
    await approveEnrolment(hub, hub.actor, id, wordsOf(certificateRequest))
    assert.equal((await make()).credential.keyOrigin, 'hub')
    // The answer was lost: the approval was of the request, and it counts for the key that is made anew.
    assert.equal((await make()).credential.state, 'pending')
  })
})

describe('where several keys wait for one device', () => {
  async function two(t: { after(step: () => unknown): unknown }) {
    const here = await asking(t)
    const other = deviceRequest(id).certificateRequest
    await assertRefused(ask(here, here.certificateRequest), 'enrolment-waits')
    await assertRefused(ask(here, other), 'enrolment-waits')
    return { here, other }
  }

  test('an approval names the key by its words, and the other one of the token is refused with it', async (t) => {
    const { here, other } = await two(t)
    const { hub, certificateRequest } = here
    const needed = await refusalOf(approveEnrolment(hub, hub.actor, id, null))
    assert.equal(needed.code, 'key-words-needed')
    for (const request of [certificateRequest, other]) assert.ok(needed.message.includes(wordsOf(request)))
    await assertRefused(approveEnrolment(hub, hub.actor, id, 'zoo zoo zoo zoo zoo zoo'), 'key-words-wrong')
    await approveEnrolment(hub, hub.actor, id, wordsOf(certificateRequest))
    await assertRefused(ask(here, other), 'enrolment-refused')
    assert.equal((await ask(here, certificateRequest)).state, 'pending')
  })

  test('a refusal takes the one with the words, or all', async (t) => {
    const { here, other } = await two(t)
    const { hub } = here
    assert.equal((await refuseEnrolment(hub, hub.actor, id, wordsOf(other))).length, 1)
    await assertRefused(ask(here, here.certificateRequest), 'enrolment-waits')
    assert.equal((await refuseEnrolment(hub, hub.actor, id, null)).length, 1)
  })

  test('no more of them are taken than an operator can look through', async (t) => {
    const { here } = await two(t)
    for (let number = 2; number < limits.enrolmentRequestsPerIdentityMax; number += 1) {
      await assertRefused(ask(here, deviceRequest(id).certificateRequest), 'enrolment-waits')
    }
    await assertRefused(ask(here, deviceRequest(id).certificateRequest), 'enrolment-requests-too-many')
    // Who waits already goes on waiting.
    await assertRefused(ask(here, here.certificateRequest), 'enrolment-waits')
  })
})

test('what was asked and what was decided stands in the audit log with the words and the actor', async (t) => {
  const here = await asking(t)
  const { hub, certificateRequest } = here
  await assertRefused(ask(here, certificateRequest), 'enrolment-waits')
  await approveEnrolment(hub, hub.actor, id, null)
  const { items } = await hub.store.audit.list({ after: null, limit: 10 })
  const told = items
    .filter(({ act }) => act.startsWith('enrolment.'))
    .map(({ act, actor, after }) => ({ act, actor, after }))
  assert.deepEqual(
    told.map(({ act }) => act),
    ['enrolment.approve', 'enrolment.request'],
  )
  assert.equal(told[0]?.actor, hub.actor)
  assert.ok(told.every(({ after }) => JSON.stringify(after).includes(wordsOf(certificateRequest))))
  const events = await hub.store.events.after(0, 100)
  assert.ok(events.some((event) => event.type === 'enrolment-decided' && event.decision === 'approved'))
})

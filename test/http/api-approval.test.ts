/** Keys that wait for approval, over the API. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type {
  BootstrapView,
  EnrolmentDecisionView,
  EnrolmentRequestView,
  PageView,
} from '../../src/api-schema/views.ts'
import { HubError } from '../../src/core/errors.ts'
import { keyWords } from '../../src/core/identity/key-words.ts'
import { limits } from '../../src/core/limits.ts'
import { Secret } from '../../src/core/secret.ts'
import { parseCertificateRequest } from '../../src/core/x509/certificate-request.ts'
import { publicKeyHash } from '../../src/core/x509/public-key.ts'
import { enrol } from '../../src/hub/enrol.ts'
import { removeOldRequests } from '../../src/hub/waiting-requests.ts'
import { deviceRequest } from '../support/hub-parts.ts'
import { type ApiParts, answered, apiParts, ask } from './api-parts.ts'
import { assertProblem } from './problem.ts'

/** A device whose key waits, with its words. */
async function waiting(api: ApiParts, id: string): Promise<{ words: string; again: () => Promise<string> }> {
  const { enrolment } = await answered<BootstrapView>(ask(api, 'POST', '/devices', { id, needsApproval: true }), 201)
  const { certificateRequest } = deviceRequest(id)
  const again = async (): Promise<string> => {
    try {
      return (await enrol(api.hub, { tokenText: new Secret(enrolment.token), claimedId: id, certificateRequest })).state
    } catch (error) {
      assert.ok(error instanceof HubError)
      return error.code
    }
  }
  assert.equal(await again(), 'enrolment-waits')
  return { words: keyWords(publicKeyHash(parseCertificateRequest(certificateRequest).publicKey)), again }
}

function list(api: ApiParts): Promise<PageView<EnrolmentRequestView>> {
  return answered(ask(api, 'GET', '/enrolment-requests'))
}

test('what waits is listed with the words of its key, oldest first, and leaves the list once it is decided', async (t) => {
  const api = await apiParts(t)
  const first = await waiting(api, 'pump-7')
  const second = await waiting(api, 'pump-8')
  const { items } = await list(api)
  assert.deepEqual(
    items.map(({ device, words, state }) => [device, words, state]),
    [
      ['pump-7', first.words, 'waiting'],
      ['pump-8', second.words, 'waiting'],
    ],
  )
  const { requests } = await answered<EnrolmentDecisionView>(
    ask(api, 'POST', '/devices/pump-7/approve', { words: first.words.toUpperCase() }),
  )
  assert.equal(requests[0]?.state, 'approved')
  assert.equal(await first.again(), 'pending')
  await answered(ask(api, 'POST', '/devices/pump-8/refuse'))
  assert.equal(await second.again(), 'enrolment-refused')
  assert.deepEqual((await list(api)).items, [])
})

test('a decision about nothing, or with the words of another key, is refused by name', async (t) => {
  const api = await apiParts(t)
  await waiting(api, 'pump-7')
  const wrong = { words: 'zoo zoo zoo zoo zoo zoo' }
  assertProblem(await ask(api, 'POST', '/devices/pump-7/approve', wrong), 409, 'key-words-wrong')
  assertProblem(await ask(api, 'POST', '/devices/pump-7/refuse', wrong), 409, 'key-words-wrong')
  assertProblem(await ask(api, 'POST', '/devices/pump-9/approve'), 404, 'identity-not-found')
  await answered(ask(api, 'POST', '/devices/pump-7/approve'))
  assertProblem(await ask(api, 'POST', '/devices/pump-7/approve'), 404, 'enrolment-request-not-found')
})

test('what has waited too long is not listed, and is removed after a while', async (t) => {
  const api = await apiParts(t)
  await waiting(api, 'pump-7')
  api.hub.clock.advance(limits.enrolmentRequestWaitsSec * 1000)
  assert.deepEqual((await list(api)).items, [])
  assert.equal(await removeOldRequests(api.hub), 0)
  api.hub.clock.advance((limits.enrolmentRequestsKeptSec - limits.enrolmentRequestWaitsSec) * 1000 + 1)
  assert.equal(await removeOldRequests(api.hub), 1)
})

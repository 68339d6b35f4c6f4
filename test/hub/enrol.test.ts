import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { HubError } from '../../src/core/errors.ts'
import type { FailureName } from '../../src/core/failure/catalogue.ts'
import { limits } from '../../src/core/limits.ts'
import { Secret } from '../../src/core/secret.ts'
import { readCertificate } from '../../src/core/x509/certificate.ts'
import { changeDeviceState, revokeDevice } from '../../src/hub/change-identity.ts'
import { enrol } from '../../src/hub/enrol.ts'
import { grantToken } from '../../src/hub/register-device.ts'
import { deviceRequest, hubParts, noonMs, registered, statusBase } from '../support/hub-parts.ts'

function refuses(code: FailureName): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof HubError, String(error))
    assert.equal(error.code, code)
    return true
  }
}

test('a certificate names the identity in CN and in one SPIFFE ID, and is good for ten days from now', async (t) => {
  const hub = await hubParts(t)
  const { tokenText } = await registered(hub, 'pump-7')
  const { certificateRequest } = deviceRequest('pump-7')
  const credential = await enrol(hub, { tokenText, claimedId: 'pump-7', certificateRequest })
  const fields = readCertificate(credential.certificate)
  assert.deepEqual(fields.uris, ['spiffe://plant.example/device/pump-7'])
  assert.deepEqual(fields.dnsNames, [])
  assert.equal(new X509Certificate(credential.certificate).subject, 'CN=pump-7')
  assert.equal(fields.notBeforeSec, noonMs / 1000 - 300)
  assert.equal(fields.notAfterSec, noonMs / 1000 + 10 * 86_400 - 1)
  assert.deepEqual(fields.crlDistributionPoints, [`${statusBase}/crl/${hub.issuing.id}/0.crl`])
  assert.equal(credential.state, 'pending')
  assert.deepEqual(await hub.store.credentials.find(credential.fingerprint), credential)
})

test('the same token and key get the same certificate until it is used, and another key never does', async (t) => {
  const hub = await hubParts(t)
  const { tokenText } = await registered(hub, 'pump-7')
  const first = deviceRequest('pump-7')
  const { certificateRequest } = first
  const credential = await enrol(hub, { tokenText, claimedId: '', certificateRequest })
  const again = await enrol(hub, { tokenText, claimedId: '', certificateRequest })
  assert.deepEqual(again.certificate, credential.certificate)

  const other = deviceRequest('pump-7')
  await assert.rejects(enrol(hub, { tokenText, claimedId: '', ...other }), refuses('token-used'))

  await hub.store.write((tx) => tx.credentials.update({ ...credential, state: 'active' }))
  await assert.rejects(enrol(hub, { tokenText, claimedId: '', certificateRequest }), refuses('token-used'))
})

test('as many enrolments as one token may ask for at once issue one certificate', async (t) => {
  const hub = await hubParts(t)
  const { tokenText } = await registered(hub, 'pump-7')
  const { certificateRequest } = deviceRequest('pump-7')
  const answers = await Promise.all(
    Array.from({ length: limits.enrolmentsAtOnceMax }, () =>
      enrol(hub, { tokenText, claimedId: '', certificateRequest }),
    ),
  )
  assert.equal(new Set(answers.map(({ fingerprint }) => fingerprint)).size, 1)
})

test('a used token still answers after its expiry, because the answer may have been lost', async (t) => {
  const hub = await hubParts(t)
  const { tokenText } = await registered(hub, 'pump-7')
  const { certificateRequest } = deviceRequest('pump-7')
  const credential = await enrol(hub, { tokenText, claimedId: '', certificateRequest })
  hub.clock.advance(2 * 86_400_000)
  const again = await enrol(hub, { tokenText, claimedId: '', certificateRequest })
  assert.equal(again.fingerprint, credential.fingerprint)
})

test('each token that does not hold is refused by its own name', async (t) => {
  const hub = await hubParts(t)
  const { tokenText } = await registered(hub, 'pump-7')
  const { certificateRequest } = deviceRequest('pump-7')
  const ask = (text: string | null, claimedId = '') =>
    enrol(hub, { tokenText: text === null ? null : new Secret(text), claimedId, certificateRequest })
  const right = tokenText.reveal()

  await assert.rejects(ask(null), refuses('token-missing'))
  await assert.rejects(ask('nonsense'), refuses('token-invalid'))
  await assert.rejects(ask(`${right.slice(0, -1)}${right.endsWith('A') ? 'B' : 'A'}`), refuses('token-invalid'))
  await assert.rejects(ask(right, 'pump-8'), refuses('token-invalid'))
  hub.clock.advance(86_400_000)
  await assert.rejects(ask(right), refuses('token-expired'))
})

test('revoking a device ends its tokens, and a disabled one cannot enrol', async (t) => {
  const hub = await hubParts(t)
  const first = await registered(hub, 'pump-7')
  const change = await revokeDevice(hub, hub.actor, first.identity.id, 'keyCompromise')
  assert.equal(change.tokensEnded, 1)
  const { certificateRequest } = deviceRequest('pump-7')
  const ask = (tokenText: Secret) => enrol(hub, { tokenText, claimedId: '', certificateRequest })
  await assert.rejects(ask(first.tokenText), refuses('token-revoked'))

  const second = await registered(hub, 'pump-8')
  await changeDeviceState(hub, hub.actor, second.identity.id, 'disabled')
  await assert.rejects(ask(second.tokenText), refuses('identity-disabled'))
})

test('a request for another name is refused, and no certificate is made', async (t) => {
  const hub = await hubParts(t)
  const { tokenText, identity } = await registered(hub, 'pump-7')
  const { certificateRequest } = deviceRequest('pump-8')
  await assert.rejects(enrol(hub, { tokenText, claimedId: '', certificateRequest }), refuses('csr-asks-too-much'))
  const { items } = await hub.store.credentials.listOfIdentity(identity.id, { after: null, limit: 10 })
  assert.deepEqual(items, [])
})

test('a certificate never outlives the authority that signed it', async (t) => {
  const hub = await hubParts(t)
  hub.clock.advance((hub.issuing.fields.notAfterSec - 3_600) * 1000 - noonMs)
  const { tokenText } = await registered(hub, 'pump-7')
  const { certificateRequest } = deviceRequest('pump-7')
  const credential = await enrol(hub, { tokenText, claimedId: '', certificateRequest })
  assert.equal(credential.notAfterSec, hub.issuing.fields.notAfterSec)
})

test('each answer to a request is told by its outcome, and a second certificate as a renewal', async (t) => {
  const hub = await hubParts(t)
  const { tokenText, identity } = await registered(hub, 'pump-7')
  const request = deviceRequest('pump-7')
  const ask = (text: Secret | null, asked = request): Promise<unknown> =>
    enrol(hub, { tokenText: text, claimedId: '', certificateRequest: asked.certificateRequest })
  const told = (): string[] => hub.observer.lines.splice(0)

  await ask(tokenText)
  assert.deepEqual(told(), ['issuance device issued'])
  await ask(tokenText)
  assert.deepEqual(told(), ['issuance device repeated'])
  await assert.rejects(ask(tokenText, deviceRequest('pump-7')))
  assert.deepEqual(told(), ['issuance device refused', 'enrolmentRefused token-used'])
  await assert.rejects(ask(null))
  assert.deepEqual(told(), ['issuance device refused', 'enrolmentRefused token-missing'])

  const again = await grantToken(hub, hub.actor, identity.id, 3_600)
  await ask(again.tokenText)
  assert.deepEqual(told(), ['issuance device issued', 'renewal device renewed'])

  const late = await grantToken(hub, hub.actor, identity.id, 3_600)
  await hub.store.close()
  await assert.rejects(ask(late.tokenText))
  assert.deepEqual(told(), ['issuance device failed', 'enrolmentRefused store-unavailable'])
})

test('another token ends those before it, and the audit log says so', async (t) => {
  const hub = await hubParts(t)
  const { identity, tokenText } = await registered(hub, 'pump-7')
  await grantToken(hub, hub.actor, identity.id, 3_600)
  const { items } = await hub.store.audit.list({ after: null, limit: 2 })
  assert.deepEqual(
    items.map(({ act }) => act),
    ['token.create', 'token.revoke'],
  )
  const request = { tokenText, claimedId: '', ...deviceRequest('pump-7') }
  await assert.rejects(enrol(hub, request), { code: 'token-revoked' })
})

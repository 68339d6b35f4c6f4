import assert from 'node:assert/strict'
import { test } from 'node:test'
import Fastify from 'fastify'
import type { Credential } from '../../src/core/identity/credential.ts'
import { formatRenewalCertificateId } from '../../src/core/renewal/certificate-id.ts'
import { readCertificate } from '../../src/core/x509/certificate.ts'
import { makeKey } from '../../src/device/certificate-request.ts'
import { addRenewalInfo } from '../../src/http/renewal-info.ts'
import { callRenewals } from '../../src/hub/call-renewals.ts'
import { revokeCertificate } from '../../src/hub/change-identity.ts'
import { renewalInfo } from '../../src/hub/renewal-info.ts'
import { RenewalBed } from '../support/renewal-bed.ts'

const daySec = 86_400

function nameOf({ certificate, serialNumber }: Credential): string {
  const identifier = readCertificate(certificate).authorityKeyIdentifier
  assert.ok(identifier !== null)
  return formatRenewalCertificateId({
    authorityKeyIdentifier: Buffer.from(identifier).toString('hex'),
    serialNumber,
  })
}

test('a certificate of ten days is told a window before two thirds of its life, and to ask every few hours', async (t) => {
  const { bed, first } = await RenewalBed.start(t)
  const { window, retryAfterSec } = await renewalInfo(bed.hub, nameOf(first))
  const age = (sec: number) => (sec - first.issuedAtMs / 1000) / (10 * daySec)
  assert.ok(age(window.fromSec) > 0.54 && age(window.untilSec) <= 2 / 3)
  assert.ok(retryAfterSec >= 3_600 && retryAfterSec <= 6 * 3_600)
})

test('a call moves the window of what was issued before into the past, and of nothing else', async (t) => {
  const { bed, first } = await RenewalBed.start(t)
  const isDue = async (credential: Credential) => {
    const { window } = await renewalInfo(bed.hub, nameOf(credential))
    return window.untilSec < bed.hub.clock.nowMs() / 1000
  }
  const { actor, issuing } = bed.hub
  await bed.hub.store.write(async (tx) => {
    const identity = await tx.identities.find(bed.id)
    assert.ok(identity !== null)
    await tx.identities.update({ ...identity, group: 'line-2' })
  })
  let current = first
  const scopes = [
    { kind: 'identity', id: bed.id },
    { kind: 'group', group: 'line-2' },
    { kind: 'authority', authorityId: issuing.id },
  ] as const
  for (const scope of scopes) {
    assert.equal(await isDue(current), false)
    bed.wait(1_000)
    await callRenewals(bed.hub, actor, scope)
    assert.equal(await isDue(current), true, scope.kind)
    bed.wait(1_000)
    const next = await bed.renew(current, makeKey())
    assert.equal(await isDue(next), false)
    await bed.connect(next)
    current = next
  }
  bed.wait(1_000)
  await callRenewals(bed.hub, actor, { kind: 'group', group: 'line-3' })
  assert.equal(await isDue(current), false)
  await assert.rejects(callRenewals(bed.hub, actor, { kind: 'authority', authorityId: 'issuing-0' }), {
    code: 'not-found',
  })
})

test('what cannot be renewed, or should not be, is not known, and a wrong issuer is a wrong name', async (t) => {
  const { bed, first } = await RenewalBed.start(t)
  const second = await bed.renew(first, makeKey())
  await bed.connect(second)
  await revokeCertificate(bed.hub, bed.hub.actor, second.serialNumber, 'unspecified')
  const foreign = formatRenewalCertificateId({ authorityKeyIdentifier: 'ab'.repeat(20), serialNumber: '3f' })
  for (const name of [nameOf(first), nameOf(second), foreign, 'x', 'a.b', '']) {
    await assert.rejects(renewalInfo(bed.hub, name), { code: 'renewal-unknown' }, name)
  }
})

test('the answer has the shape of RFC 9773, and says when to ask again', async (t) => {
  const { bed, first } = await RenewalBed.start(t)
  const app = Fastify()
  addRenewalInfo(app, bed.hub)
  t.after(() => app.close())
  const answer = await app.inject(`/renewal-info/${nameOf(first)}`)
  assert.equal(answer.statusCode, 200)
  assert.match(answer.headers['content-type']?.toString() ?? '', /^application\/json/)
  assert.match(answer.headers['retry-after']?.toString() ?? '', /^[0-9]+$/)
  const { suggestedWindow } = answer.json<{ suggestedWindow: { start: string; end: string } }>()
  assert.match(suggestedWindow.start, /^2026-11-\d\dT\d\d:\d\d:\d\dZ$/)
  assert.ok(suggestedWindow.start < suggestedWindow.end)
})

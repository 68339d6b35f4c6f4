import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CodingError, HubError } from '../../../src/core/errors.ts'
import {
  LintedCertificate,
  lintBeforeSigning,
  permitFor,
  redeemPermit,
  SigningPermit,
} from '../../../src/core/profile/permit.ts'
import { toBeSignedOf } from '../../../src/core/x509/certificate-layout.ts'
import { derTime } from '../../../src/core/x509/der-writer.ts'
import { encoded, issuing, nowSec, root, sound } from './draft.ts'

const { draft, plan } = sound.device
const issuerKey = issuing.key.spki

test('a certificate that breaks a rule gets no permit, and every rule that it breaks is named', () => {
  const late = encoded({ ...draft, notBefore: derTime(nowSec + 5), notAfter: derTime(issuing.fields.notAfterSec + 5) })
  assert.throws(
    () => lintBeforeSigning(late, plan),
    (error) =>
      error instanceof HubError &&
      error.code === 'certificate-lint-failed' &&
      ['validity-backdated-little', 'validity-within-issuer', 'validity-of-profile'].every((rule) =>
        error.message.includes(`(${rule})`),
      ),
  )
})

test('a linted certificate gives one permit, and that one signature', () => {
  const certificate = encoded(draft)
  const linted = lintBeforeSigning(certificate, plan)
  const permit = permitFor(linted)
  assert.throws(() => permitFor(linted), CodingError)
  assert.deepEqual(redeemPermit(permit, issuerKey), toBeSignedOf(certificate))
  assert.throws(() => redeemPermit(permit, issuerKey), CodingError)
})

test('a permit is for the issuer that the lint knew, and a try of another one does not use it up', () => {
  const permit = permitFor(lintBeforeSigning(encoded(draft), plan))
  assert.throws(() => redeemPermit(permit, root.key.spki), CodingError)
  assert.ok(redeemPermit(permit, issuerKey).length > 0)
})

test('what is signed is what was linted, whatever becomes of the bytes that were handed in', () => {
  const certificate = encoded(draft)
  const before = Uint8Array.from(toBeSignedOf(certificate))
  const linted = lintBeforeSigning(certificate, plan)
  certificate.fill(0)
  linted.toBeSigned.fill(0)
  linted.certificate.fill(0)
  assert.deepEqual(redeemPermit(permitFor(linted), issuerKey), before)
})

test('neither a permit nor a linted certificate can be made in another way', () => {
  const forgedPermit = Reflect.construct(SigningPermit, []) as SigningPermit
  assert.throws(() => redeemPermit(forgedPermit, issuerKey), CodingError)
  const forgedLinted = Reflect.construct(LintedCertificate, [encoded(draft), toBeSignedOf(encoded(draft))])
  assert.throws(() => permitFor(forgedLinted as LintedCertificate), CodingError)
  const linted = lintBeforeSigning(encoded(draft), plan)
  assert.throws(() => permitFor(Object.create(linted) as LintedCertificate), CodingError)
  assert.throws(() => redeemPermit({ ...permitFor(linted) } as SigningPermit, issuerKey), CodingError)
})

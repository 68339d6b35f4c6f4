/** Whom a certificate is for, as the device that asked for it reads it. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { HubError } from '../../src/core/errors.ts'
import type { IdentityId } from '../../src/core/identity/id.ts'
import { noNames } from '../../src/core/identity/identity.ts'
import { deviceProfile, serverProfile } from '../../src/core/profile/built-in.ts'
import type { Profile } from '../../src/core/profile/profile.ts'
import { checkIssued } from '../../src/device/issued-certificate.ts'
import { contentOf } from '../core/profile/facts.ts'
import { ecKey, makeCertificate, makeIssuing, makeRoot } from '../core/x509/support.ts'

const validity = { notBeforeSec: 1_790_000_000, notAfterSec: 1_790_863_999 }
const root = makeRoot(validity)
const issuing = makeIssuing(root, validity)
const key = ecKey()

function check(profile: Profile, id: string, asks: string) {
  const names = { ...noNames, dnsNames: ['press.plant.example'] }
  const leaf = makeCertificate(issuing, validity, contentOf(profile, { id: id as IdentityId, names }), key)
  return checkIssued({
    certificates: [new X509Certificate(leaf), new X509Certificate(issuing.der)],
    root: new X509Certificate(root.der),
    id: asks as IdentityId,
    publicKey: key.spki,
    nowMs: validity.notBeforeSec * 1_000,
  })
}

test('a certificate is for the id in its SPIFFE ID, whatever its common name is', () => {
  for (const profile of [deviceProfile, serverProfile, { ...deviceProfile, subject: [] }]) {
    assert.equal(check(profile, 'press-4', 'press-4').chain.length, 2, profile.name)
  }
})

test('a certificate whose SPIFFE ID is that of another is not taken, even where its common name is the id', () => {
  const posing: Profile = { ...deviceProfile, subject: [{ type: 'commonName', value: 'press-4' }] }
  assert.throws(
    () => check(posing, 'press-5', 'press-4'),
    (error) =>
      error instanceof HubError && error.code === 'hub-answer-unexpected' && /for "press-5"/.test(error.message),
  )
})

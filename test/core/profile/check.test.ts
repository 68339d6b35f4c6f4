import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { HubError } from '../../../src/core/errors.ts'
import { assertIssuedAsPlanned, faultOf } from '../../../src/core/profile/check.ts'
import type { CertificatePlan } from '../../../src/core/profile/lint-rule.ts'
import { lintBeforeSigning } from '../../../src/core/profile/permit.ts'
import { ecKey, makeIssuing } from '../x509/support.ts'
import { encoded, holder, issuing, nowSec, root, sound } from './draft.ts'

const x509 = new X509Certificate(issuing.der)
const device = encoded(sound.device.draft)
const linted = lintBeforeSigning(device, sound.device.plan)

function refuses(certificate: Uint8Array, issuer: X509Certificate, words: RegExp): void {
  assert.throws(
    () => assertIssuedAsPlanned(certificate, linted, sound.device.plan, issuer),
    (error) => error instanceof HubError && error.code === 'internal' && words.test(error.message),
  )
}

test('a certificate as planned passes, one that signs itself too', () => {
  assertIssuedAsPlanned(device, linted, sound.device.plan, x509)
  assert.equal(faultOf(new X509Certificate(root.der), { ...sound.root.plan, publicKey: root.key.spki }, null), null)
})

test('a certificate with other content, another issuer or a broken signature does not leave', () => {
  const other = encoded({ ...sound.device.draft, serialNumber: Uint8Array.of(1) })
  refuses(other, x509, /planned/)
  refuses(device, new X509Certificate(root.der), /issuer/)
  const stranger = makeIssuing(root, { notBeforeSec: nowSec - 10, notAfterSec: nowSec + 10 })
  refuses(device, new X509Certificate(stranger.der), /issuer/)
  const flipped = Uint8Array.from(device)
  flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1
  refuses(flipped, x509, /signature/)
  refuses(device.subarray(1), x509, /cannot be read/)
})

test('OpenSSL must read in a certificate what was planned, apart from our own reader', () => {
  const { plan } = sound.server
  const server = new X509Certificate(encoded(sound.server.draft))
  assert.equal(faultOf(server, plan, x509), null)
  const faults: readonly (readonly [Partial<CertificatePlan>, RegExp])[] = [
    [{ profile: sound.issuing.plan.profile }, /authority/],
    [{ profile: sound.device.plan.profile }, /purposes/],
    [{ publicKey: ecKey().spki }, /another key/],
    [{ identity: sound.device.plan.identity }, /SPIFFE/],
    [{ names: { dnsNames: ['another.example'], ipAddresses: [], emails: [] } }, /lacks/],
    [{ names: { dnsNames: ['hub.plant.example'], ipAddresses: [], emails: [] } }, /other names/],
  ]
  for (const [change, words] of faults) assert.match(faultOf(server, { ...plan, ...change }, x509) ?? '', words)
  assert.equal(faultOf(server, { ...plan, names: null, publicKey: holder.spki }, x509), null)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HubError } from '../../../src/core/errors.ts'
import { assertIssuedAsPlanned } from '../../../src/core/profile/check.ts'
import { readCertificate } from '../../../src/core/x509/certificate.ts'
import { makeDevice, makeIssuing, makeRoot } from '../x509/support.ts'

const validity = { notBeforeSec: 1_790_000_000, notAfterSec: 1_790_863_999 }
const root = makeRoot(validity)
const issuing = makeIssuing(root, validity)
const device = makeDevice(issuing, validity)
const { toBeSigned } = readCertificate(device)

function refuses(certificate: Uint8Array, tbs: Uint8Array, issuer: Uint8Array, words: RegExp): void {
  assert.throws(
    () => assertIssuedAsPlanned(certificate, tbs, issuer),
    (error) => error instanceof HubError && error.code === 'internal' && words.test(error.message),
  )
}

test('a certificate as planned passes, a root below itself', () => {
  assertIssuedAsPlanned(device, toBeSigned, issuing.der)
  assertIssuedAsPlanned(root.der, root.fields.toBeSigned, root.der)
})

test('a certificate with other content, another issuer or a broken signature does not leave', () => {
  refuses(device, root.fields.toBeSigned, issuing.der, /planned/)
  refuses(device, toBeSigned, root.der, /issuer/)
  refuses(device, toBeSigned, makeIssuing(root, validity).der, /issuer/)
  const flipped = Uint8Array.from(device)
  flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1
  refuses(flipped, toBeSigned, issuing.der, /signature/)
  refuses(device.subarray(1), toBeSigned, issuing.der, /cannot be read/)
})

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { crossTemplate } from '../../src/core/profile/templates.ts'
import { rootsToKeep } from '../../src/device/root-succession.ts'
import { issue, makeIssuing, makeRoot, newSerial, type TestAuthority } from '../core/x509/support.ts'

const validity = { notBeforeSec: 1_790_000_000, notAfterSec: 1_890_000_000 }
const [held, next, stranger] = [makeRoot(validity), makeRoot(validity), makeRoot(validity)]

/** A certificate for the key of one root that another one has signed. */
function cross(subject: TestAuthority, issuer: TestAuthority): X509Certificate {
  const parts = { name: subject.fields.subject.der, publicKey: subject.key.spki, serialNumber: newSerial(), validity }
  return new X509Certificate(issue(crossTemplate({ ...parts, issuer: issuer.fields }), issuer.key))
}

function of(...authorities: readonly TestAuthority[]): X509Certificate[] {
  return authorities.map(({ der }) => new X509Certificate(der))
}

function fingerprints(certificates: readonly X509Certificate[]): readonly string[] {
  return certificates.map(({ fingerprint256 }) => fingerprint256)
}

test('a device keeps a root that it holds, and one that this root certifies', () => {
  const answer = [...of(held, next, makeIssuing(held, validity)), cross(next, held)]
  assert.deepEqual(fingerprints(rootsToKeep(of(held), answer)), fingerprints(of(held, next)))
})

test('a device takes no root that nothing it holds has signed, whatever stands beside it', () => {
  const answer = [...of(held, stranger), cross(held, stranger), cross(stranger, stranger), cross(stranger, next)]
  assert.deepEqual(fingerprints(rootsToKeep(of(held), answer)), fingerprints(of(held)))
})

test('a device gives a root up when its hub does not show it any more, and never the last one', () => {
  assert.deepEqual(fingerprints(rootsToKeep(of(held, next), of(next))), fingerprints(of(next)))
  for (const answer of [[], of(stranger), of(makeIssuing(held, validity)), [cross(next, held)]]) {
    assert.throws(() => rootsToKeep(of(held), answer), { code: 'hub-answer-unexpected' })
  }
})

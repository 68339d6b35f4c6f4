/** Certificates that the registry does not hold, each with the cause that its own bytes tell. */
import assert from 'node:assert/strict'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { readCertificate } from '../../src/core/x509/certificate.ts'
import { basicConstraints, extendedKeyUsage, keyUsage } from '../../src/core/x509/extensions.ts'
import { oids } from '../../src/core/x509/oids.ts'
import { type KnownAuthority, strangerRefusal } from '../../src/hub/stranger.ts'
import { type OwnCertificate, ownCertificate } from '../support/own-certificate.ts'

const nowSec = 1_800_000_000
const authorityUsage = [basicConstraints(0), keyUsage(['keyCertSign', 'cRLSign'])]

function known(id: string, { der }: OwnCertificate, state: KnownAuthority['state'] = 'active'): KnownAuthority {
  return { id, state, fields: readCertificate(der), x509: new X509Certificate(der) }
}

const withKeyIdentifier = (name: string) => ownCertificate(name)
const issuing = withKeyIdentifier('Handfast issuing')
const ours = [known('issuing-1', issuing)]

function codeOf(certificate: OwnCertificate, authorities: readonly KnownAuthority[] = ours): string {
  return strangerRefusal(authorities, certificate.der, nowSec).code
}

function sentenceOf(certificate: OwnCertificate): string {
  return strangerRefusal(ours, certificate.der, nowSec).sentence
}

test('what our authority has signed and the registry does not hold is told from what it has not signed', () => {
  assert.equal(codeOf(ownCertificate('pump-7', { issuer: issuing })), 'certificate-unknown-serial')
  const namesake = ownCertificate('Handfast issuing')
  assert.equal(codeOf(ownCertificate('pump-7', { issuer: namesake })), 'certificate-of-namesake')
  const impostor = { ...namesake, spki: issuing.spki }
  assert.equal(codeOf(ownCertificate('pump-7', { issuer: impostor })), 'certificate-forged')
})

test('an authority that was replaced and is retired is named as that', () => {
  const old = withKeyIdentifier('Handfast issuing')
  const authorities = [known('issuing-1', old, 'retired'), known('issuing-2', issuing)]
  const leaf = ownCertificate('pump-7', { issuer: old })
  assert.equal(codeOf(leaf, authorities), 'certificate-of-retired-authority')
  assert.match(strangerRefusal(authorities, leaf.der, nowSec).sentence, /by our issuing-1, which is retired/)
  const before = [known('issuing-1', old, 'previous'), known('issuing-2', issuing)]
  assert.equal(codeOf(leaf, before), 'certificate-unknown-serial')
})

test('who has the key of our authority is told from everybody else, whatever certificate is shown with it', () => {
  assert.equal(codeOf(issuing), 'authority-key-elsewhere')
  const publicKey = new X509Certificate(issuing.der).publicKey
  const other = withKeyIdentifier('somebody')
  assert.equal(codeOf(ownCertificate('pump-7', { issuer: other, publicKey })), 'authority-key-elsewhere')
})

test('self-signed, named like its issuer, and that of an authority are three things', () => {
  assert.equal(codeOf(ownCertificate('pump-7')), 'certificate-self-signed')
  const maker = withKeyIdentifier('pump-7')
  assert.equal(codeOf(ownCertificate('pump-7', { issuer: maker })), 'certificate-named-like-issuer')
  const acme = withKeyIdentifier('ACME')
  assert.equal(
    codeOf(ownCertificate('line 2', { issuer: acme, extensions: authorityUsage })),
    'certificate-is-authority',
  )
  assert.equal(codeOf(ownCertificate('pump-7', { issuer: acme })), 'certificate-foreign-authority')
})

test('what else is wrong with it stands in the sentence, so that nobody mends the one to meet the other', () => {
  const acme = withKeyIdentifier('ACME')
  const issued = (options: Partial<Parameters<typeof ownCertificate>[1]>) =>
    sentenceOf(ownCertificate('pump-7', { issuer: acme, ...options }))
  const validity = { notBeforeSec: 0, notAfterSec: nowSec - 2 * 86_400 }
  assert.match(issued({ validity }), /; it also expired 2 days ago, at 2027-01-13T/)
  const later = { notBeforeSec: nowSec + 60, notAfterSec: 2_000_000_000 }
  assert.match(issued({ validity: later }), /; it also becomes valid only in 60 s/)
  assert.match(issued({ extensions: [extendedKeyUsage([oids.serverAuth])] }), /; it also is not for clients/)
  assert.match(issued({ hash: 'sha1' }), /; it also is signed with ECDSA and SHA-1, which is not accepted/)
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1_024 })
  assert.match(issued({ publicKey }), /; it also has an RSA key of 1024 bits/)
  assert.doesNotMatch(issued({}), /also/)
})

test('bytes that are no certificate are refused as that, at every length of one', () => {
  const { der } = ownCertificate('pump-7', { issuer: issuing })
  for (let length = 0; length < der.length; length++) {
    assert.equal(strangerRefusal(ours, der.subarray(0, length), nowSec).code, 'certificate-unreadable', `${length}`)
  }
})

test('a byte changed anywhere makes it another stranger or none, and throws nothing', () => {
  const { der } = ownCertificate('pump-7', { issuer: issuing })
  const codes = new Set<string>()
  for (let at = 0; at < der.length; at++) {
    const changed = Uint8Array.from(der)
    changed[at] = (changed[at] ?? 0) ^ 0x5a
    codes.add(strangerRefusal(ours, changed, nowSec).code)
  }
  assert.ok(!codes.has('certificate-unknown-serial'), 'a changed certificate has no signature of ours')
  assert.ok(codes.has('certificate-forged') && codes.has('certificate-unreadable'))
})

/** A small authority for tests: root, issuing CA and leaves, made with the builders and keys of this process. */
import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import type { IdentityId } from '../../../src/core/identity/id.ts'
import { deviceProfile, serverProfile } from '../../../src/core/profile/built-in.ts'
import type { CertificateContent } from '../../../src/core/profile/certificate-content.ts'
import { authorityTemplate, certificateTemplate, rootTemplate } from '../../../src/core/profile/templates.ts'
import type { Validity } from '../../../src/core/profile/validity.ts'
import { algorithmFor } from '../../../src/core/x509/algorithms.ts'
import { type CertificateFields, readCertificate } from '../../../src/core/x509/certificate.ts'
import { type CertificateTemplate, signedCertificate, toBeSigned } from '../../../src/core/x509/certificate-builder.ts'
import { serialNumberFrom } from '../../../src/core/x509/serial-number.ts'
import { contentOf } from '../profile/facts.ts'

export interface TestKey {
  readonly privateKey: KeyObject
  readonly spki: Uint8Array
}

export interface TestAuthority {
  readonly key: TestKey
  readonly der: Uint8Array
  readonly fields: CertificateFields
}

export const crlUrl = 'http://hub.example:8080/crl/issuing-1.crl'

export function ecKey(namedCurve = 'P-256'): TestKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve })
  return { privateKey, spki: spkiOf(privateKey) }
}

export function rsaKey(modulusLength = 2048, publicExponent = 65_537): TestKey {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength, publicExponent })
  return { privateKey, spki: spkiOf(privateKey) }
}

export function spkiOf(privateKey: KeyObject): Uint8Array {
  return createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
}

export function ed25519Key(): TestKey {
  const { privateKey } = generateKeyPairSync('ed25519')
  return { privateKey, spki: spkiOf(privateKey) }
}

export function signBytes(key: TestKey, bytes: Uint8Array): Uint8Array {
  return sign(algorithmFor(bytes, key.spki).hash, bytes, key.privateKey)
}

export function issue(template: CertificateTemplate, key: TestKey): Uint8Array {
  const tbs = toBeSigned(template)
  return signedCertificate(tbs, signBytes(key, tbs))
}

export function newSerial(): Uint8Array {
  return serialNumberFrom(randomBytes(20))
}

export function makeRoot(validity: Validity, key: TestKey = ecKey()): TestAuthority {
  const template = rootTemplate({ name: 'plant root', publicKey: key.spki, serialNumber: newSerial(), validity })
  return authority(key, issue(template, key))
}

export function makeIssuing(root: TestAuthority, validity: Validity, key: TestKey = ecKey()): TestAuthority {
  const parts = { publicKey: key.spki, serialNumber: newSerial(), validity }
  return authority(key, issue(authorityTemplate({ ...parts, name: 'plant issuing', issuer: root.fields }), root.key))
}

export function makeDevice(issuing: TestAuthority, validity: Validity, key: TestKey = ecKey()): Uint8Array {
  return makeCertificate(issuing, validity, contentOf(deviceProfile), key)
}

export function makeServer(
  issuing: TestAuthority,
  validity: Validity,
  names: { readonly dnsNames: readonly string[]; readonly ipAddresses: readonly string[] },
): Uint8Array {
  const hub = { id: 'hub' as IdentityId, kind: 'service' } as const
  return makeCertificate(issuing, validity, contentOf(serverProfile, hub, names))
}

/** A certificate of whatever content. */
export function makeCertificate(
  issuing: TestAuthority,
  validity: Validity,
  content: CertificateContent,
  key: TestKey = ecKey(),
): Uint8Array {
  const parts = { publicKey: key.spki, serialNumber: newSerial(), validity, issuer: issuing.fields }
  const urls = { crlUrl, ocspUrl: null, caIssuersUrl: null }
  return issue(certificateTemplate({ ...parts, ...urls, content }), issuing.key)
}

function authority(key: TestKey, der: Uint8Array): TestAuthority {
  return { key, der, fields: readCertificate(der) }
}

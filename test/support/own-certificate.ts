/** Certificates that devices, and authorities of others, make themselves. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { type SigningAlgorithm, signingAlgorithm } from '../../src/core/x509/algorithms.ts'
import { signedCertificate, toBeSigned } from '../../src/core/x509/certificate-builder.ts'
import { derOid, derSequence } from '../../src/core/x509/der-writer.ts'
import { type Extension, subjectKeyIdentifier } from '../../src/core/x509/extensions.ts'
import { buildName } from '../../src/core/x509/name.ts'
import { encodePem } from '../../src/core/x509/pem.ts'
import { keyIdentifier } from '../../src/core/x509/public-key.ts'

export interface OwnCertificate {
  readonly der: Uint8Array
  readonly pem: string
  readonly privateKey: KeyObject
  readonly name: Uint8Array
  readonly spki: Uint8Array
}

/** What our own code never signs with. */
const ecdsaWithSha1: SigningAlgorithm = {
  ...signingAlgorithm(
    new Uint8Array(
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'der' }),
    ),
  ),
  oid: '1.2.840.10045.4.1',
  identifier: derSequence(derOid('1.2.840.10045.4.1')),
}

/** @param issuer who signs it; itself where it is left out */
export function ownCertificate(
  commonName: string,
  {
    issuer,
    extensions,
    validity = { notBeforeSec: 1_600_000_000, notAfterSec: 2_000_000_000 },
    publicKey: given,
    hash = 'sha256',
  }: {
    readonly issuer?: OwnCertificate
    readonly extensions?: readonly Extension[] | ((spki: Uint8Array) => readonly Extension[])
    readonly validity?: { readonly notBeforeSec: number; readonly notAfterSec: number }
    /** The key that it is for, where it is not to be a new one on P-256. */
    readonly publicKey?: KeyObject
    /** What it is signed with. */
    readonly hash?: 'sha1' | 'sha256'
  } = {},
): OwnCertificate {
  const { privateKey, publicKey: own } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const publicKey = given ?? own
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }))
  const name = buildName(commonName)
  const serialNumber = new Uint8Array(randomBytes(16))
  serialNumber[0] = 0x40
  const tbs = toBeSigned({
    ...{ serialNumber, signatureAlgorithm: hash === 'sha1' ? ecdsaWithSha1 : signingAlgorithm(issuer?.spki ?? spki) },
    ...{ issuer: issuer?.name ?? name, subject: name, validity, publicKey: spki },
    extensions:
      typeof extensions === 'function' ? extensions(spki) : (extensions ?? [subjectKeyIdentifier(keyIdentifier(spki))]),
    authorityKeyIdentifier: issuer === undefined ? null : keyIdentifier(issuer.spki),
  })
  const der = signedCertificate(tbs, new Uint8Array(sign(hash, tbs, issuer?.privateKey ?? privateKey)))
  return { der, pem: encodePem('CERTIFICATE', der), privateKey, name, spki }
}

/** Certificates in an envelope: the degenerate SignedData of CMS that EST answers with (RFC 5652 §5, RFC 7030 §4.1.3). */
import type { FailureName } from '../failure/catalogue.ts'
import { limits } from '../limits.ts'
import { DerError, type DerReader, oidText, openSingle, readingAs, smallInteger } from './der-reader.ts'
import { contextConstructed, tags } from './der-tags.ts'
import { derElement, derInteger, derOid, derSequence, derSet } from './der-writer.ts'
import { oids } from './oids.ts'

/** Certificates that one envelope may hold: a chain, and the anchors of a roll-over. */
const certificatesMax = 16

/** A certs-only message of certificates in DER, in the order given. */
export function certsOnly(certificates: readonly Uint8Array[]): Uint8Array {
  const signedData = derSequence(
    derInteger(1),
    derSet(),
    derSequence(derOid(oids.data)),
    derElement(contextConstructed(0), ...certificates),
    derSet(),
  )
  return derSequence(derOid(oids.signedData), derElement(contextConstructed(0), signedData))
}

/**
 * The certificates in a certs-only message, in the order in which they were sent. Each is one well-formed SEQUENCE; what
 * is inside is for `readCertificate`.
 *
 * @param unreadable code of the failure where the bytes are no such message
 * @throws HubError of that code: not strict DER, a message with signers or content, none or more than 16 certificates
 */
export function readCertsOnly(der: Uint8Array, unreadable: FailureName = 'hub-answer-unexpected'): Uint8Array[] {
  return readingAs(unreadable, 'the PKCS#7 message', () => {
    const bytesMax = certificatesMax * limits.derBytesMax
    const outer = openSingle(der, tags.sequence, 'the ContentInfo', bytesMax)
    assertOid(outer, oids.signedData, 'the type of the message')
    const content = outer.enter(contextConstructed(0), 'the content')
    outer.assertEnd('the ContentInfo')
    const signedData = content.enter(tags.sequence, 'the SignedData')
    content.assertEnd('the content')
    return readSignedData(signedData)
  })
}

function readSignedData(signedData: DerReader): Uint8Array[] {
  const version = smallInteger(signedData.take(tags.integer, 'the version'), 'the version')
  if (version !== 1 && version !== 3) throw new DerError(`version ${version} is unknown`)
  signedData.take(tags.set, 'the digest algorithms')
  const inner = signedData.enter(tags.sequence, 'the encapsulated content')
  assertOid(inner, oids.data, 'the type of the encapsulated content')
  inner.assertEnd('the encapsulated content')
  const certificates = readCertificates(signedData.enter(contextConstructed(0), 'the certificates'))
  signedData.takeOptional(contextConstructed(1), 'the CRLs')
  if (!signedData.enter(tags.set, 'the signers').atEnd) throw new DerError('it has signers')
  signedData.assertEnd('the SignedData')
  return certificates
}

function readCertificates(list: DerReader): Uint8Array[] {
  const certificates: Uint8Array[] = []
  while (!list.atEnd) {
    if (certificates.length === certificatesMax)
      throw new DerError(`it holds more than ${certificatesMax} certificates`)
    certificates.push(list.take(tags.sequence, 'a certificate').bytes)
  }
  if (certificates.length === 0) throw new DerError('it holds no certificate')
  return certificates
}

function assertOid(reader: DerReader, expected: string, what: string): void {
  const found = oidText(reader.take(tags.oid, what))
  if (found !== expected) throw new DerError(`${what} is ${found}, not ${expected}`)
}

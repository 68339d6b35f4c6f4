/**
 * Reading a CRL of somebody else (RFC 5280 §5), of version 1 or 2, signed by the authority itself: whole ones, and parts that
 * certificates name by an address.
 */
import { isAcceptedFromOthers, isSignedBy, readSignatureAlgorithm } from './algorithms.ts'
import type { CertificateFields } from './certificate.ts'
import { bitStringOctets, type DerElement, DerError, DerReader, openSingle, readingAs, timeSec } from './der-reader.ts'
import { contextConstructed, tags } from './der-tags.ts'
import { type Extensions, readCrlScope, readExtensions } from './extension-reader.ts'
import { isSameName, nameText, readName } from './name.ts'
import { oidName, oids } from './oids.ts'

export interface ForeignCrl {
  /** Which of the authorities has signed it. */
  readonly issuer: CertificateFields
  /** By which addresses certificates name it, where it is a part; empty for a whole one. */
  readonly urls: readonly string[]
  /** Whole seconds since the epoch. */
  readonly thisUpdateSec: number
  readonly nextUpdateSec: number
  /** Lower-case hexadecimal of the DER content octets, as in certificates. */
  readonly serialNumbers: ReadonlySet<string>
}

/**
 * Reads a CRL and checks who signed it.
 *
 * @param issuers authorities of which one may have signed it
 * @param bytesMax of the whole of it
 * @throws HubError `anchor-crl-unfit`: it cannot be read, has no next date, was not signed by one of them, or is of a kind that does
 *   not say enough: a delta, an indirect one, one of some reasons or of authorities alone
 */
export function readForeignCrl(der: Uint8Array, issuers: readonly CertificateFields[], bytesMax: number): ForeignCrl {
  return readingAs('anchor-crl-unfit', 'the CRL', () => {
    const outer = openSingle(der, tags.sequence, 'the CRL', bytesMax)
    const toBeSigned = outer.take(tags.sequence, 'the TBSCertList')
    const algorithmElement = outer.take(tags.sequence, 'the signature algorithm')
    const signature = bitStringOctets(outer.take(tags.bitString, 'the signature'), 'the signature')
    outer.assertEnd('the CRL')
    const algorithm = readSignatureAlgorithm(algorithmElement)
    const fields = new DerReader(toBeSigned.content)
    fields.takeOptional(tags.integer, 'the version')
    const inner = fields.take(tags.sequence, 'the signature algorithm').bytes
    if (Buffer.compare(inner, algorithmElement.bytes) !== 0) throw new DerError('it names two signature algorithms')
    const name = fields.take(tags.sequence, 'the issuer')
    const issuer = signerAmong(issuers, name, (spki) => isSignedBy(spki, algorithm, toBeSigned.bytes, signature))
    if (!isAcceptedFromOthers(algorithm)) {
      throw new DerError(`it is signed with ${oidName(algorithm.oid)}, which is not taken`)
    }
    const thisUpdateSec = timeSec(fields.next('thisUpdate'), 'thisUpdate')
    if (fields.atEnd || ![tags.utcTime, tags.generalizedTime].some((tag) => tag === fields.nextTag)) {
      throw new DerError('it does not say when the next one comes')
    }
    const nextUpdateSec = timeSec(fields.next('nextUpdate'), 'nextUpdate')
    const list = fields.takeOptional(tags.sequence, 'the list of entries')
    const extensions = fields.takeOptional(contextConstructed(0), 'the extensions')
    fields.assertEnd('the TBSCertList')
    const serialNumbers = list === null ? new Set<string>() : serialsIn(list.content)
    const urls = extensions === null ? [] : scopeOf(new DerReader(extensions.content))
    return { issuer, urls, thisUpdateSec, nextUpdateSec, serialNumbers }
  })
}

/** Several may have the name, as when an authority has taken another key. */
function signerAmong(
  issuers: readonly CertificateFields[],
  name: DerElement,
  hasSigned: (spki: Uint8Array) => boolean,
): CertificateFields {
  const namesakes = issuers.filter(({ subject }) => isSameName(name.bytes, subject.der))
  if (namesakes.length === 0) {
    throw new DerError(`it was issued by another authority, ${nameText(readName(name, 'the issuer'))}`)
  }
  const may = namesakes.filter(({ keyUsage }) => keyUsage === null || keyUsage.includes('cRLSign'))
  if (may.length === 0) throw new DerError('the authority may not sign CRLs (key usage)')
  const signer = may.find(({ publicKey }) => hasSigned(publicKey))
  if (signer === undefined)
    throw new DerError('the authority of that name has not signed it, with the key that is known')
  return signer
}

const known: ReadonlySet<string> = new Set([oids.crlNumber, oids.authorityKeyIdentifier, oids.issuingDistributionPoint])

/** By which addresses certificates name it. */
function scopeOf(wrapped: DerReader): readonly string[] {
  const extensions = readExtensions(wrapped.enter(tags.sequence, 'the extensions'))
  assertWhole(extensions, known)
  const point = extensions.get(oids.issuingDistributionPoint)
  return point === undefined ? [] : readCrlScope(point)
}

const knownOfEntries: ReadonlySet<string> = new Set([oids.crlReason])

/** What says that it holds a part of the revocations, or those of others, is critical (RFC 5280 §5.2, §5.3). */
function assertWhole(extensions: Extensions, heeded: ReadonlySet<string>): void {
  for (const [oid, { critical }] of extensions) {
    if (critical && !heeded.has(oid))
      throw new DerError(`it has the critical extension ${oidName(oid)}: give a whole one`)
  }
}

function serialsIn(content: Uint8Array): ReadonlySet<string> {
  const serials = new Set<string>()
  for (const entries = new DerReader(content); !entries.atEnd; ) {
    const entry = entries.enter(tags.sequence, 'an entry')
    const { content: octets } = entry.take(tags.integer, 'the serial number of an entry')
    timeSec(entry.next('the date of an entry'), 'the date of an entry')
    const extensions = entry.takeOptional(tags.sequence, 'the extensions of an entry')
    entry.assertEnd('an entry')
    if (extensions !== null) assertWhole(readExtensions(new DerReader(extensions.content)), knownOfEntries)
    serials.add(Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('hex'))
  }
  return serials
}

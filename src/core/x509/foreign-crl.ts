/** Reading a CRL of somebody else (RFC 5280 §5): whole ones, of version 1 or 2, signed by the authority itself. */
import { isAcceptedSignature, isSignedBy, readSignatureAlgorithm } from './algorithms.ts'
import type { CertificateFields } from './certificate.ts'
import { bitStringOctets, DerError, DerReader, openSingle, readingAs, timeSec } from './der-reader.ts'
import { contextConstructed, tags } from './der-tags.ts'
import { type Extensions, readExtensions } from './extension-reader.ts'
import { isSameName } from './name.ts'
import { oidName, oids } from './oids.ts'

export interface ForeignCrl {
  /** Whole seconds since the epoch. */
  readonly thisUpdateSec: number
  readonly nextUpdateSec: number
  /** Lower-case hexadecimal of the DER content octets, as in certificates. */
  readonly serialNumbers: ReadonlySet<string>
}

/**
 * Reads a CRL and checks who signed it.
 *
 * @param bytesMax of the whole of it
 * @throws HubError `anchor-crl-unfit`: it cannot be read, is a part of one (delta, indirect or of a scope), has no next date, or was
 *   not signed by that authority
 */
export function readForeignCrl(der: Uint8Array, issuer: CertificateFields, bytesMax: number): ForeignCrl {
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
    const name = fields.take(tags.sequence, 'the issuer').bytes
    if (!isSameName(name, issuer.subject.der)) throw new DerError('it was issued by another authority')
    const mayBeSigned = issuer.keyUsage === null || issuer.keyUsage.includes('cRLSign')
    if (!mayBeSigned) throw new DerError('the authority may not sign CRLs (key usage)')
    if (!isAcceptedSignature(algorithm) || !isSignedBy(issuer.publicKey, algorithm, toBeSigned.bytes, signature)) {
      throw new DerError('the authority has not signed it, or with an algorithm that is not taken')
    }
    const thisUpdateSec = timeSec(fields.next('thisUpdate'), 'thisUpdate')
    if (fields.atEnd || ![tags.utcTime, tags.generalizedTime].some((tag) => tag === fields.nextTag)) {
      throw new DerError('it does not say when the next one comes')
    }
    const nextUpdateSec = timeSec(fields.next('nextUpdate'), 'nextUpdate')
    const list = fields.takeOptional(tags.sequence, 'the list of entries')
    const extensions = fields.takeOptional(contextConstructed(0), 'the extensions')
    fields.assertEnd('the TBSCertList')
    if (extensions !== null) {
      assertWhole(readExtensions(new DerReader(extensions.content).enter(tags.sequence, 'the extensions')), known)
    }
    return { thisUpdateSec, nextUpdateSec, serialNumbers: list === null ? new Set() : serialsIn(list.content) }
  })
}

const known: ReadonlySet<string> = new Set([oids.crlNumber, oids.authorityKeyIdentifier])
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

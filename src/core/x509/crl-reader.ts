/** Reading a CRL of our own, to compare it with what the registry says about it (RFC 5280 §5). */
import { bitStringOctets, DerError, DerReader, openSingle, readingAs, timeSec } from './der-reader.ts'
import { contextConstructed, tags } from './der-tags.ts'
import { readExtensions, readIssuingDistributionPoint } from './extension-reader.ts'
import { oids } from './oids.ts'

export interface CrlFields {
  /** The issuer's name in DER. */
  readonly issuer: Uint8Array
  readonly number: bigint
  /** Whole seconds since the epoch. */
  readonly thisUpdateSec: number
  readonly nextUpdateSec: number
  /** The URL in the issuing distribution point; null for a full CRL. */
  readonly distributionPoint: string | null
  readonly entries: number
  /** The TBSCertList in DER. */
  readonly toBeSigned: Uint8Array
  readonly signature: Uint8Array
}

/** A CRL of a million entries takes 40 MiB. */
const crlBytesMax = 256 * 1024 * 1024

/**
 * Reads a CRL as {@link crlToBeSigned} makes it.
 *
 * @throws HubError `certificate-unreadable`, with what is wrong
 */
export function readCrl(der: Uint8Array): CrlFields {
  return readingAs('certificate-unreadable', 'the CRL', () => {
    const outer = openSingle(der, tags.sequence, 'the CRL', crlBytesMax)
    const toBeSigned = outer.take(tags.sequence, 'the TBSCertList')
    outer.take(tags.sequence, 'the signature algorithm')
    const signature = bitStringOctets(outer.take(tags.bitString, 'the signature'), 'the signature')
    outer.assertEnd('the CRL')
    const fields = new DerReader(toBeSigned.content)
    fields.take(tags.integer, 'the version')
    fields.take(tags.sequence, 'the signature algorithm')
    const issuer = fields.take(tags.sequence, 'the issuer').bytes
    const thisUpdateSec = timeSec(fields.next('thisUpdate'), 'thisUpdate')
    const nextUpdateSec = timeSec(fields.next('nextUpdate'), 'nextUpdate')
    const revoked = fields.takeOptional(tags.sequence, 'the list of entries')
    const extensions = fields.enter(contextConstructed(0), 'the extensions')
    fields.assertEnd('the TBSCertList')
    const known = readExtensions(extensions.enter(tags.sequence, 'the extensions'))
    const number = known.get(oids.crlNumber)
    if (number === undefined) throw new DerError('the CRL number is missing')
    const point = known.get(oids.issuingDistributionPoint)
    return {
      issuer,
      number: readInteger(number.value),
      thisUpdateSec,
      nextUpdateSec,
      distributionPoint: point === undefined ? null : readIssuingDistributionPoint(point),
      entries: revoked === null ? 0 : countOf(revoked.content),
      toBeSigned: toBeSigned.bytes,
      signature,
    }
  })
}

function readInteger(der: Uint8Array): bigint {
  const reader = new DerReader(der)
  const { content } = reader.take(tags.integer, 'the CRL number')
  reader.assertEnd('the CRL number')
  return BigInt(`0x${Buffer.from(content).toString('hex')}`)
}

function countOf(content: Uint8Array): number {
  const entries = new DerReader(content)
  let count = 0
  for (; !entries.atEnd; count++) entries.take(tags.sequence, 'an entry')
  return count
}

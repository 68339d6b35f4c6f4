/** Reading a CRL of our own, to compare it with what the registry says about it (RFC 5280 §5). */
import { readSignatureAlgorithm, type SignatureAlgorithm } from './algorithms.ts'
import { type CrlReason, reasonNumber } from './crl.ts'
import { bitStringOctets, DerError, DerReader, openDer, openSingle, readingAs, timeSec } from './der-reader.ts'
import { contextConstructed, tags } from './der-tags.ts'
import { readAuthorityKeyIdentifier, readExtensions, readIssuingDistributionPoint } from './extension-reader.ts'
import { oids } from './oids.ts'

/** A CRL without its entries. */
export interface CrlFrame {
  /** The issuer's name in DER. */
  readonly issuer: Uint8Array
  /** The key identifier of the issuer; null where it is named in another way. */
  readonly authorityKeyIdentifier: Uint8Array | null
  readonly number: bigint
  /** Whole seconds since the epoch. */
  readonly thisUpdateSec: number
  readonly nextUpdateSec: number
  /** The URL in the issuing distribution point; null for a full CRL. */
  readonly distributionPoint: string | null
  /** The entries in DER, one behind the other; null where there is no list. */
  readonly entryBytes: Uint8Array | null
  /** The TBSCertList in DER. */
  readonly toBeSigned: Uint8Array
  readonly algorithm: SignatureAlgorithm
  readonly signature: Uint8Array
}

export interface CrlFields extends CrlFrame {
  readonly entries: number
}

/** One entry as it stands in a CRL. */
export interface CrlEntry {
  /** Lower-case hexadecimal of the DER content octets. */
  readonly serialNumber: string
  readonly revokedAtSec: number
  /** 0 where the entry gives none. */
  readonly reason: number
}

/** A CRL of a million entries takes 40 MiB. */
const crlBytesMax = 256 * 1024 * 1024

/**
 * Reads a CRL as `crlToBeSigned` makes it.
 *
 * @throws HubError `certificate-unreadable`, with what is wrong
 */
export function readCrl(der: Uint8Array): CrlFields {
  return readingAs('certificate-unreadable', 'the CRL', () => {
    const frame = frameIn(openSingle(der, tags.sequence, 'the CRL', crlBytesMax))
    return { ...frame, entries: frame.entryBytes === null ? 0 : countOf(frame.entryBytes) }
  })
}

/**
 * The same without a look into the list of entries, for a list whose parts have been looked at by {@link readCrlEntries}.
 *
 * @throws HubError `certificate-unreadable`
 */
export function readCrlFrame(der: Uint8Array): CrlFrame {
  return readingAs('certificate-unreadable', 'the CRL', () => {
    const outer = new DerReader(der)
    const inner = outer.enter(tags.sequence, 'the CRL')
    outer.assertEnd('what is around the CRL')
    return frameIn(inner)
  })
}

/**
 * The entries in a part of a list.
 *
 * @throws HubError `certificate-unreadable`
 */
export function readCrlEntries(part: Uint8Array): readonly CrlEntry[] {
  return readingAs('certificate-unreadable', 'the list of a CRL', () => {
    if (part.length === 0) return []
    const list = openDer(part, crlBytesMax)
    const entries: CrlEntry[] = []
    while (!list.atEnd) entries.push(readEntry(list.enter(tags.sequence, 'an entry')))
    return entries
  })
}

/** Whether an entry says what was to be said. */
export function isSameEntry(
  entry: CrlEntry | undefined,
  meant: { readonly serialNumber: string; readonly revokedAtMs: number; readonly reason: CrlReason },
): boolean {
  return (
    entry?.serialNumber === meant.serialNumber &&
    entry.revokedAtSec === Math.floor(meant.revokedAtMs / 1000) &&
    entry.reason === reasonNumber(meant.reason)
  )
}

function frameIn(outer: DerReader): CrlFrame {
  const toBeSigned = outer.take(tags.sequence, 'the TBSCertList')
  const algorithm = outer.take(tags.sequence, 'the signature algorithm')
  const signature = bitStringOctets(outer.take(tags.bitString, 'the signature'), 'the signature')
  outer.assertEnd('the CRL')
  const fields = new DerReader(toBeSigned.content)
  const version = fields.take(tags.integer, 'the version').content
  if (version.length !== 1 || version[0] !== 1) throw new DerError('the CRL is not of version 2')
  const inner = fields.take(tags.sequence, 'the signature algorithm').bytes
  if (Buffer.compare(inner, algorithm.bytes) !== 0) throw new DerError('the CRL names two signature algorithms')
  const issuer = fields.take(tags.sequence, 'the issuer').bytes
  const thisUpdateSec = timeSec(fields.next('thisUpdate'), 'thisUpdate')
  const nextUpdateSec = timeSec(fields.next('nextUpdate'), 'nextUpdate')
  const list = fields.takeOptional(tags.sequence, 'the list of entries')
  if (list?.content.length === 0) throw new DerError('the list of entries is there and empty')
  const extensions = fields.enter(contextConstructed(0), 'the extensions')
  fields.assertEnd('the TBSCertList')
  return {
    ...{ issuer, thisUpdateSec, nextUpdateSec, signature, entryBytes: list?.content ?? null },
    ...readCrlExtensions(extensions.enter(tags.sequence, 'the extensions')),
    toBeSigned: toBeSigned.bytes,
    algorithm: readSignatureAlgorithm(algorithm),
  }
}

function readCrlExtensions(list: DerReader) {
  const known = readExtensions(list)
  const number = known.get(oids.crlNumber)
  if (number === undefined) throw new DerError('the CRL number is missing')
  const authority = known.get(oids.authorityKeyIdentifier)
  const point = known.get(oids.issuingDistributionPoint)
  return {
    number: readInteger(number.value),
    authorityKeyIdentifier: authority === undefined ? null : readAuthorityKeyIdentifier(authority),
    distributionPoint: point === undefined ? null : readIssuingDistributionPoint(point),
  }
}

function readInteger(der: Uint8Array): bigint {
  const reader = openDer(der)
  const { content } = reader.take(tags.integer, 'the CRL number')
  reader.assertEnd('the CRL number')
  return BigInt(`0x${Buffer.from(content).toString('hex')}`)
}

function readEntry(fields: DerReader): CrlEntry {
  const { content } = fields.take(tags.integer, 'the serial number of an entry')
  const revokedAtSec = timeSec(fields.next('the date of an entry'), 'the date of an entry')
  const extensions = fields.takeOptional(tags.sequence, 'the extensions of an entry')
  fields.assertEnd('an entry')
  const serialNumber = Buffer.from(content.buffer, content.byteOffset, content.length).toString('hex')
  return { serialNumber, revokedAtSec, reason: extensions === null ? 0 : readReason(new DerReader(extensions.content)) }
}

function readReason(list: DerReader): number {
  const reason = readExtensions(list).get(oids.crlReason)
  if (reason === undefined) return 0
  const value = openDer(reason.value)
  const { content } = value.take(tags.enumerated, 'the reason of an entry')
  value.assertEnd('the reason of an entry')
  return content[0] ?? 0
}

function countOf(content: Uint8Array): number {
  const entries = new DerReader(content)
  let count = 0
  for (; !entries.atEnd; count++) entries.take(tags.sequence, 'an entry')
  return count
}

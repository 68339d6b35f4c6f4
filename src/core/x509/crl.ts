/** CRLs, version 2: full ones, and shards that cover the certificates of one distribution point (RFC 5280 §5). */
import { assert } from '../errors.ts'
import { type RevocationReason, revocationReasons, type SerialNumber } from '../identity/credential.ts'
import { signedStructure, signingAlgorithm } from './algorithms.ts'
import type { CertificateFields } from './certificate.ts'
import { contextConstructed, tags } from './der-tags.ts'
import { timeElementBytesMax, writeTimeElement } from './der-time.ts'
import { derElement, derInteger, derOctetString, derOid, derSequence, derTime } from './der-writer.ts'
import { authorityKeyIdentifier, crlNumber, encodeExtensions, issuingDistributionPoint } from './extensions.ts'
import { oids } from './oids.ts'

/** Why a certificate stands on a CRL. `certificateHold` is not for ever: the entry goes when the certificate is released. */
export type CrlReason = RevocationReason | 'certificateHold'

/** The number of a reason (§5.3.1). */
export function reasonNumber(reason: CrlReason): number {
  return reason === 'certificateHold' ? certificateHold : revocationReasons[reason]
}

const certificateHold = 6

/** One entry of a CRL. */
export interface RevokedEntry {
  readonly serialNumber: SerialNumber
  readonly revokedAtMs: number
  readonly reason: CrlReason
}

export interface CrlContent {
  /** From the issuer's certificate; it has a subject key identifier. */
  readonly issuer: Pick<CertificateFields, 'subject' | 'subjectKeyIdentifier' | 'publicKey'>
  /** The URL in the certificates that this CRL covers; null for a full CRL, which covers all of the issuer's (§5.2.5). */
  readonly distributionPoint: string | null
  /** Higher than in every CRL of that scope that the issuer signed before (§5.2.3). */
  readonly number: bigint
  /** Whole seconds since the epoch. */
  readonly thisUpdateSec: number
  readonly nextUpdateSec: number
  /** In the order in which they will stand; a long list has been encoded in parts. */
  readonly revoked: readonly RevokedEntry[] | { readonly parts: readonly Uint8Array[] }
}

/** The TBSCertList in DER: what the issuer signs, with the algorithm of its key. */
export function crlToBeSigned(content: CrlContent): Uint8Array {
  assert(content.nextUpdateSec > content.thisUpdateSec, 'a CRL is replaced after it is issued')
  const { subject, subjectKeyIdentifier, publicKey } = content.issuer
  assert(subjectKeyIdentifier !== null, 'an authority has a subject key identifier')
  const { distributionPoint, revoked } = content
  const parts = 'parts' in revoked ? revoked.parts : [encodeCrlEntries(revoked)]
  const isEmpty = parts.every((part) => part.length === 0)
  const extensions = encodeExtensions([
    authorityKeyIdentifier(subjectKeyIdentifier),
    crlNumber(content.number),
    ...(distributionPoint === null ? [] : [issuingDistributionPoint(distributionPoint)]),
  ])
  return derSequence(
    derInteger(1),
    signingAlgorithm(publicKey).identifier,
    subject.der,
    derTime(content.thisUpdateSec),
    derTime(content.nextUpdateSec),
    // Without entries the list is absent, not empty (§5.1.2.6).
    ...(isEmpty ? [] : [derSequence(...parts)]),
    derElement(contextConstructed(0), extensions),
  )
}

/**
 * The CRL.
 *
 * @param tbs what {@link crlToBeSigned} gave
 * @param signature of the algorithm that it names
 */
export function signedCrl(tbs: Uint8Array, signature: Uint8Array): Uint8Array {
  return signedStructure(tbs, signature)
}

const serialBytesMax = 20

/** The extensions of an entry for each reason; none for `unspecified`, which should be left out (§5.3.1). */
const reasonExtensions: ReadonlyMap<CrlReason, Uint8Array> = new Map(
  Object.entries({ ...revocationReasons, certificateHold }).map(([name, number]) => [
    name as CrlReason,
    reasonExtension(number),
  ]),
)

function reasonExtension(number: number): Uint8Array {
  if (number === revocationReasons.unspecified) return new Uint8Array()
  const value = derOctetString(Uint8Array.of(tags.enumerated, 1, number))
  return derSequence(derSequence(derOid(oids.crlReason), value))
}

/** Longest entry: header, serial number, time, reason. */
const entryBytesMax =
  2 + 2 + serialBytesMax + timeElementBytesMax + Math.max(...[...reasonExtensions.values()].map((e) => e.length))

/** Entries one behind the other, written into one buffer: an authority may have a hundred thousand of them. */
export function encodeCrlEntries(revoked: readonly RevokedEntry[]): Uint8Array {
  const buffer = Buffer.allocUnsafe(revoked.length * entryBytesMax)
  let offset = 0
  for (const entry of revoked) offset = writeEntry(buffer, offset, entry)
  return buffer.subarray(0, offset)
}

function writeEntry(buffer: Buffer, start: number, entry: RevokedEntry): number {
  const serialBytes = entry.serialNumber.length / 2
  const written = serialBytes <= serialBytesMax ? buffer.write(entry.serialNumber, start + 4, 'hex') : 0
  assert(written === serialBytes && written > 0, 'a serial number is hexadecimal, 1 to 20 octets')
  buffer[start + 2] = tags.integer
  buffer[start + 3] = serialBytes
  let offset = writeTimeElement(buffer, start + 4 + serialBytes, Math.floor(entry.revokedAtMs / 1000))
  const reason = reasonExtensions.get(entry.reason)
  assert(reason !== undefined, 'a reason is one of the closed list')
  buffer.set(reason, offset)
  offset += reason.length
  buffer[start] = tags.sequence
  buffer[start + 1] = offset - start - 2
  return offset
}

/** The last look at a CRL before anybody sees it: by the reader and by OpenSSL, not by the code that made it. */
import { X509Certificate } from 'node:crypto'
import { HubError } from '../errors.ts'
import { isSignedBy } from './algorithms.ts'
import { readCertificate } from './certificate.ts'
import type { CrlContent, RevokedEntry } from './crl.ts'
import { isSameEntry, readCrlEntries, readCrlFrame } from './crl-reader.ts'

/**
 * Checks an encoded part of a list of entries against what was to stand in it.
 *
 * @throws HubError `internal`
 */
export function assertEntriesAsPlanned(part: Uint8Array, meant: readonly RevokedEntry[]): void {
  const entries = looking(() => readCrlEntries(part))
  if (entries.length !== meant.length) fail('has another number of entries than was planned')
  meant.forEach((entry, index) => {
    if (!isSameEntry(entries[index], entry)) fail(`has another entry for ${entry.serialNumber} than was planned`)
  })
}

/**
 * Checks a CRL just signed: it says what was planned, holds the parts that {@link assertEntriesAsPlanned} has seen and no
 * others, and the key in the issuer's certificate, as OpenSSL reads it, verifies the signature.
 *
 * @param tbs the TBSCertList that was to be signed
 * @param issuer the issuer's certificate in DER
 * @throws HubError `internal`, saying which of these does not hold
 */
export function assertCrlAsPlanned(
  crl: Uint8Array,
  tbs: Uint8Array,
  issuer: Uint8Array,
  content: Omit<CrlContent, 'revoked' | 'issuer'> & { readonly parts: readonly Uint8Array[] },
): void {
  const frame = looking(() => readCrlFrame(crl))
  const authority = new X509Certificate(issuer)
  const spki = authority.publicKey.export({ type: 'spki', format: 'der' })
  if (Buffer.compare(frame.toBeSigned, tbs) !== 0) fail('is not the one that was planned')
  if (Buffer.compare(readCertificate(issuer).subject.der, frame.issuer) !== 0) fail('does not name its issuer')
  if (frame.number !== content.number) fail('has another number than was planned')
  if (frame.thisUpdateSec !== content.thisUpdateSec || frame.nextUpdateSec !== content.nextUpdateSec) {
    fail('has other dates than were planned')
  }
  if (frame.distributionPoint !== content.distributionPoint) fail('is of another scope than was planned')
  if (frame.authorityKeyIdentifier === null) fail('does not name the key of its issuer')
  if (!isConcatenation(frame.entryBytes ?? new Uint8Array(), content.parts))
    fail('holds other entries than were planned')
  if (!isSignedBy(spki, frame.algorithm, tbs, frame.signature)) fail('has a signature that its issuer did not make')
}

function isConcatenation(whole: Uint8Array, parts: readonly Uint8Array[]): boolean {
  let offset = 0
  for (const part of parts) {
    if (Buffer.compare(whole.subarray(offset, offset + part.length), part) !== 0) return false
    offset += part.length
  }
  return offset === whole.length
}

function looking<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw new HubError('internal', 'a CRL just signed cannot be read', { cause })
  }
}

function fail(what: string): never {
  throw new HubError('internal', `a CRL just signed ${what}`)
}

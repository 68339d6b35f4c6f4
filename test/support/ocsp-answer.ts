/** Reads an OCSPResponse, for tests. */
import { verify } from 'node:crypto'
import { type CertificateFields, readCertificate } from '../../src/core/x509/certificate.ts'
import { bitStringOctets, DerReader, openSingle, timeSec } from '../../src/core/x509/der-reader.ts'
import { contextConstructed, contextPrimitive, tags } from '../../src/core/x509/der-tags.ts'
import { readExtensions } from '../../src/core/x509/extension-reader.ts'
import { oids } from '../../src/core/x509/oids.ts'

export interface ReadSingle {
  readonly kind: 'good' | 'revoked'
  readonly revokedAtSec: number | null
  /** Number of the reason; null where there is none. */
  readonly reason: number | null
  readonly thisUpdateSec: number
  readonly nextUpdateSec: number
}

export interface ReadAnswer {
  readonly singles: readonly ReadSingle[]
  readonly nonce: string | null
  /** Whether it says that it answers so for certificates that were never issued. */
  readonly isExtendedRevoke: boolean
  readonly responder: CertificateFields
  readonly isSigned: boolean
}

/** The OCSPResponseStatus. */
export function ocspStatus(der: Uint8Array): number {
  return openSingle(der, tags.sequence, 'the OCSPResponse').take(tags.enumerated, 'the status').content[0] ?? -1
}

/** A successful one. */
export function readOcspAnswer(der: Uint8Array): ReadAnswer {
  const outer = openSingle(der, tags.sequence, 'the OCSPResponse')
  outer.take(tags.enumerated, 'the status')
  const bytes = new DerReader(outer.take(contextConstructed(0), 'bytes').content).enter(tags.sequence, 'bytes')
  bytes.take(tags.oid, 'the type')
  const basic = openSingle(bytes.take(tags.octetString, 'the answer').content, tags.sequence, 'the answer')
  const tbs = basic.take(tags.sequence, 'what is signed')
  basic.take(tags.sequence, 'the algorithm')
  const signature = bitStringOctets(basic.take(tags.bitString, 'the signature'), 'the signature')
  const certificates = new DerReader(basic.take(contextConstructed(0), 'certificates').content)
  const responder = readCertificate(certificates.enter(tags.sequence, 'certificates').next('the certificate').bytes)
  const key = { key: Buffer.from(responder.publicKey), format: 'der', type: 'spki' } as const

  const fields = new DerReader(tbs.content)
  fields.take(contextConstructed(2), 'the responder, by key')
  fields.take(tags.generalizedTime, 'producedAt')
  const list = fields.enter(tags.sequence, 'the answers')
  const singles: ReadSingle[] = []
  while (!list.atEnd) singles.push(readSingle(list.enter(tags.sequence, 'an answer')))
  const wrapped = fields.takeOptional(contextConstructed(1), 'the extensions')
  const extensions =
    wrapped === null ? null : readExtensions(new DerReader(wrapped.content).enter(tags.sequence, 'the extensions'))
  const nonce = extensions?.get(oids.ocspNonce)?.value
  return {
    singles,
    nonce: nonce === undefined ? null : Buffer.from(nonce).toString('hex'),
    isExtendedRevoke: extensions?.has(oids.ocspExtendedRevoke) === true,
    responder,
    isSigned: verify('sha256', tbs.bytes, key, signature),
  }
}

function readSingle(fields: DerReader): ReadSingle {
  fields.take(tags.sequence, 'the CertID')
  const status = fields.next('the status')
  const thisUpdateSec = timeSec(fields.next('thisUpdate'), 'thisUpdate')
  const next = new DerReader(fields.take(contextConstructed(0), 'nextUpdate').content)
  const nextUpdateSec = timeSec(next.next('nextUpdate'), 'nextUpdate')
  if (status.tag === contextPrimitive(0)) {
    return { kind: 'good', revokedAtSec: null, reason: null, thisUpdateSec, nextUpdateSec }
  }
  const revoked = new DerReader(status.content)
  const revokedAtSec = timeSec(revoked.next('the time'), 'the time')
  const reason = revoked.atEnd ? null : (revoked.next('the reason').content[2] ?? null)
  return { kind: 'revoked', revokedAtSec, reason, thisUpdateSec, nextUpdateSec }
}

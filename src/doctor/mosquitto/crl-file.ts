/** A file of CRLs as a broker loads it: PEM blocks, each with its issuer, its dates and its signature; entries are not looked at. */
import { HubError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { isSignedBy, readSignatureAlgorithm, type SignatureAlgorithm } from '../../core/x509/algorithms.ts'
import { bitStringOctets, DerError, DerReader, openSingle, timeSec } from '../../core/x509/der-reader.ts'
import { tags } from '../../core/x509/der-tags.ts'
import { nameText, readName } from '../../core/x509/name.ts'
import { decodePem } from '../../core/x509/pem.ts'

export interface LoadedCrl {
  /** The issuer's name in DER, and in words. */
  readonly issuer: Uint8Array
  readonly issuerText: string
  readonly thisUpdateSec: number
  /** Null where it does not say when the next one comes. */
  readonly nextUpdateSec: number | null
  /** Whether that key has signed it. @param spki SubjectPublicKeyInfo in DER */
  isSignedBy(spki: Uint8Array): boolean
}

/** @returns the CRLs in their order, or why there is none, in words that go behind the name of the file */
export function readCrlFile(bytes: Uint8Array): readonly LoadedCrl[] | string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  if (!text.includes('-----BEGIN')) return bytes[0] === 0x30 ? 'is in DER, and PEM is read alone' : 'holds no PEM block'
  try {
    const blocks = decodePem(text, 'broker-crl-unreadable').filter(({ label }) => label === 'X509 CRL')
    return blocks.length === 0 ? 'holds no block "X509 CRL"' : blocks.map(({ der }) => readCrl(der))
  } catch (error) {
    if (error instanceof HubError || error instanceof DerError) return `holds a CRL that is damaged: ${error.message}`
    throw error
  }
}

function readCrl(der: Uint8Array): LoadedCrl {
  const outer = openSingle(der, tags.sequence, 'the CRL', limits.brokerCrlBytesMax)
  const toBeSigned = outer.take(tags.sequence, 'the TBSCertList')
  const algorithm: SignatureAlgorithm = readSignatureAlgorithm(outer.take(tags.sequence, 'the signature algorithm'))
  const signature = bitStringOctets(outer.take(tags.bitString, 'the signature'), 'the signature')
  const fields = new DerReader(toBeSigned.content)
  fields.takeOptional(tags.integer, 'the version')
  fields.take(tags.sequence, 'the signature algorithm')
  const issuer = fields.take(tags.sequence, 'the issuer')
  const thisUpdateSec = timeSec(fields.next('thisUpdate'), 'thisUpdate')
  const hasNext = !fields.atEnd && [tags.utcTime, tags.generalizedTime].some((tag) => tag === fields.nextTag)
  return {
    issuer: issuer.bytes,
    issuerText: nameText(readName(issuer, 'the issuer')),
    thisUpdateSec,
    nextUpdateSec: hasNext ? timeSec(fields.next('nextUpdate'), 'nextUpdate') : null,
    isSignedBy: (spki) => isSignedBy(spki, algorithm, toBeSigned.bytes, signature),
  }
}

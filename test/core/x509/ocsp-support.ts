/** OCSP requests for tests, also such as nobody should send. */
import { createHash } from 'node:crypto'
import { contextConstructed, tags } from '../../../src/core/x509/der-tags.ts'
import {
  derElement,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  derUnsigned,
} from '../../../src/core/x509/der-writer.ts'
import { type Extension, encodeExtensions } from '../../../src/core/x509/extensions.ts'
import { oids } from '../../../src/core/x509/oids.ts'
import { publicKeyOctets } from '../../../src/core/x509/public-key.ts'

interface Issuer {
  readonly subject: { readonly der: Uint8Array }
  readonly publicKey: Uint8Array
}

/** The CertID of a certificate. @param serialNumber hexadecimal */
export function certificateId(
  issuer: Issuer,
  serialNumber: string,
  hash: 'sha1' | 'sha256' | 'sha384' = 'sha256',
  parameters: Uint8Array = derNull(),
): Uint8Array {
  const hashOf = (bytes: Uint8Array): Uint8Array => derOctetString(createHash(hash).update(bytes).digest())
  const oid = { sha1: oids.sha1, sha256: oids.sha256, sha384: '2.16.840.1.101.3.4.2.2' }[hash]
  return derSequence(
    derSequence(derOid(oid), parameters),
    hashOf(issuer.subject.der),
    hashOf(publicKeyOctets(issuer.publicKey)),
    derElement(tags.integer, Buffer.from(serialNumber, 'hex')),
  )
}

export interface RequestParts {
  readonly version?: number
  readonly extensions?: readonly Extension[]
  readonly singleExtensions?: readonly Extension[]
  /** Elements that follow the TBSRequest. */
  readonly more?: readonly Uint8Array[]
}

/** An OCSPRequest in DER. */
export function ocspRequest(certificateIds: readonly Uint8Array[], parts: RequestParts = {}): Uint8Array {
  const { version, extensions = [], singleExtensions = [], more = [] } = parts
  const single =
    singleExtensions.length === 0 ? [] : [derElement(contextConstructed(0), encodeExtensions(singleExtensions))]
  const tbs = derSequence(
    ...(version === undefined ? [] : [derElement(contextConstructed(0), derUnsigned(Uint8Array.of(version)))]),
    derSequence(...certificateIds.map((id) => derSequence(id, ...single))),
    ...(extensions.length === 0 ? [] : [derElement(contextConstructed(2), encodeExtensions(extensions))]),
  )
  return derSequence(tbs, ...more)
}

/** The extension that asks for its value in the answer. */
export function nonce(octets: Uint8Array, critical = false): Extension {
  return { oid: oids.ocspNonce, critical, value: derOctetString(octets) }
}

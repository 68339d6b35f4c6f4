/** How a certificate is laid out, where its fields alone do not tell: for whoever judges the encoding itself. */
import { type DerElement, DerReader, oidText, openSingle } from './der-reader.ts'
import { contextConstructed, contextPrimitive, tags } from './der-tags.ts'
import type { Extension } from './extensions.ts'

export interface CertificateLayout {
  /** The TBSCertificate in DER. */
  readonly toBeSigned: Uint8Array
  /** Content octets of the INTEGER, with sign and leading zeros if it has any. */
  readonly serialNumber: Uint8Array
  readonly notBefore: DerElement
  readonly notAfter: DerElement
  /** True where issuerUniqueID or subjectUniqueID are there. */
  readonly hasUniqueIds: boolean
  /** Every extension in its order, one that comes twice too. */
  readonly extensions: readonly Extension[]
}

/** Reads the layout of a certificate in DER. @throws DerError */
export function certificateLayout(der: Uint8Array): CertificateLayout {
  const outer = openSingle(der, tags.sequence, 'the certificate')
  const { bytes: toBeSigned, content } = outer.take(tags.sequence, 'the TBSCertificate')
  const fields = new DerReader(content)
  fields.takeOptional(contextConstructed(0), 'the version')
  const { content: serialNumber } = fields.take(tags.integer, 'the serial number')
  fields.take(tags.sequence, 'the signature algorithm')
  fields.take(tags.sequence, 'the issuer')
  const validity = fields.enter(tags.sequence, 'the validity')
  const [notBefore, notAfter] = [validity.next('notBefore'), validity.next('notAfter')]
  fields.take(tags.sequence, 'the subject')
  fields.take(tags.sequence, 'the public key')
  const issuerId = fields.takeOptional(contextPrimitive(1), 'the issuerUniqueID')
  const subjectId = fields.takeOptional(contextPrimitive(2), 'the subjectUniqueID')
  const wrapper = fields.takeOptional(contextConstructed(3), 'the extensions')
  return {
    toBeSigned,
    serialNumber,
    notBefore,
    notAfter,
    hasUniqueIds: issuerId !== null || subjectId !== null,
    extensions: wrapper === null ? [] : readAll(new DerReader(wrapper.content)),
  }
}

/** The TBSCertificate of a certificate in DER, byte for byte. @throws DerError */
export function toBeSignedOf(certificate: Uint8Array): Uint8Array {
  return openSingle(certificate, tags.sequence, 'the certificate').take(tags.sequence, 'the TBSCertificate').bytes
}

function readAll(wrapper: DerReader): readonly Extension[] {
  const list = wrapper.enter(tags.sequence, 'the extensions')
  const extensions: Extension[] = []
  while (!list.atEnd) {
    const item = list.enter(tags.sequence, 'an extension')
    const oid = oidText(item.take(tags.oid, 'the type of an extension'))
    const critical = item.takeOptional(tags.boolean, 'the criticality of an extension')?.content[0] === 0xff
    extensions.push({ oid, critical, value: item.take(tags.octetString, 'an extension').content })
  }
  return extensions
}

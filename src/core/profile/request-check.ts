/**
 * What a certificate request may ask for: nothing but its key. A certificate is made without looking at it; one that asks for
 * something else is refused all the same, because its maker expects what it will not get, unless the profile says `ignore`.
 */
import { HubError, quote } from '../errors.ts'
import type { CertificateRequest } from '../x509/certificate-request.ts'
import { readingAs } from '../x509/der-reader.ts'
import {
  readBasicConstraints,
  readExtendedKeyUsage,
  readKeyUsage,
  readSubjectAltName,
  readSubjectKeyIdentifier,
} from '../x509/extension-reader.ts'
import type { Extension } from '../x509/extensions.ts'
import { nameText } from '../x509/name.ts'
import { oidName, oids } from '../x509/oids.ts'
import { keyIdentifier } from '../x509/public-key.ts'
import type { CertificateContent } from './certificate-content.ts'

/**
 * Refuses a request whose subject holds an attribute that the certificate will not have, or that asks for an extension that
 * would not come out the same. Less than the certificate will say is well, so is CN = id. Critical or not makes no
 * difference; attributes other than extensions ask for nothing.
 *
 * @throws HubError `csr-asks-too-much`, naming the field and quoting its value; `csr-unreadable` for a malformed extension
 */
export function assertRequestFits(request: CertificateRequest, content: CertificateContent): void {
  if (content.profile.excess === 'ignore') return
  assertSubjectFits(request, content)
  for (const extension of request.requestedExtensions) {
    const excess = readingAs('csr-unreadable', `the requested extension ${oidName(extension.oid)}`, () =>
      excessOf(extension, request, content),
    )
    if (excess !== null) throw refusal(`the extension ${oidName(extension.oid)} with ${quote(excess)}`)
  }
}

function assertSubjectFits(
  { subject }: CertificateRequest,
  { subjectAttributes, identityId }: CertificateContent,
): void {
  const [first, second] = subject.attributes
  if (first?.oid === oids.commonName && first.value === identityId && second === undefined) return
  const left = subjectAttributes.map(({ oid, value }) => `${oid} ${value}`)
  for (const { oid, value } of subject.attributes) {
    const place = left.indexOf(`${oid} ${value}`)
    if (place === -1) throw refusal(`the subject ${quote(nameText(subject))}, but the identity is ${quote(identityId)}`)
    left.splice(place, 1)
  }
}

/** What an extension asks for beyond the certificate, as text, or null. @throws DerError */
function excessOf(extension: Extension, request: CertificateRequest, content: CertificateContent): string | null {
  const { profile } = content
  switch (extension.oid) {
    case oids.basicConstraints:
      return readBasicConstraints(extension).ca ? 'cA' : null
    case oids.keyUsage:
      return listed(readKeyUsage(extension).filter((usage) => !profile.keyUsage.includes(usage)))
    case oids.extendedKeyUsage: {
      const purposes = readExtendedKeyUsage(extension)
      return listed(purposes.filter((purpose) => !profile.extendedKeyUsage.includes(purpose)).map(oidName))
    }
    case oids.subjectAltName: {
      const { uris, dnsNames, ipAddresses, emails, others } = readSubjectAltName(extension)
      return listed([
        ...uris.filter((uri) => uri !== content.uri),
        ...dnsNames.filter((name) => !content.dnsNames.includes(name.toLowerCase())),
        ...ipAddresses.filter((address) => !content.ipAddresses.includes(address)),
        ...emails.filter((email) => !content.emails.includes(email)),
        ...(others === 0 ? [] : ['a name of another kind']),
      ])
    }
    case oids.subjectKeyIdentifier: {
      const identifier = readSubjectKeyIdentifier(extension)
      const isOurs = Buffer.compare(identifier, keyIdentifier(request.publicKey)) === 0
      return isOurs ? null : Buffer.from(identifier).toString('hex')
    }
    default:
      return Buffer.from(extension.value).toString('hex')
  }
}

function listed(excess: readonly string[]): string | null {
  return excess.length === 0 ? null : excess.join(', ')
}

function refusal(what: string): HubError {
  return new HubError('csr-asks-too-much', `the certificate request asks for ${what}`)
}

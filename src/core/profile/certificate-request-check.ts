/**
 * What a certificate request may ask for. A certificate is made from the profile alone, so a request can change nothing;
 * one that asks for something else is refused all the same, because its maker expects what it will not get.
 */
import { HubError, quote } from '../errors.ts'
import type { IdentityId } from '../identity/id.ts'
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
import type { Profile } from './profile.ts'

/**
 * Refuses a request whose subject is neither empty nor exactly CN = id, or that asks for an extension the profile would
 * not give in the same way. Critical or not makes no difference; attributes other than extensions ask for nothing.
 *
 * @param uri the SPIFFE ID that the certificate will carry
 * @throws HubError `csr-asks-too-much`, naming the field and quoting its value; `csr-unreadable` for a malformed extension
 */
export function assertRequestFitsDevice(
  request: CertificateRequest,
  id: IdentityId,
  uri: string,
  profile: Profile,
): void {
  assertSubjectFits(request, id)
  for (const extension of request.requestedExtensions) {
    const excess = readingAs('csr-unreadable', `the requested extension ${oidName(extension.oid)}`, () =>
      excessOf(extension, request, uri, profile),
    )
    if (excess !== null) throw refusal(`the extension ${oidName(extension.oid)} with ${quote(excess)}`)
  }
}

function assertSubjectFits({ subject }: CertificateRequest, id: IdentityId): void {
  const [first, second] = subject.attributes
  if (first === undefined) return
  if (second === undefined && first.oid === oids.commonName && first.value === id) return
  throw refusal(`the subject ${quote(nameText(subject))}, but the identity is ${quote(id)}`)
}

/** What an extension asks for beyond the profile, as text, or null. @throws DerError */
function excessOf(extension: Extension, request: CertificateRequest, uri: string, profile: Profile): string | null {
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
      const { uris, dnsNames, ipAddresses, others } = readSubjectAltName(extension)
      const kinds = others === 0 ? [] : ['a name of another kind']
      return listed([...uris.filter((name) => name !== uri), ...dnsNames, ...ipAddresses, ...kinds])
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

/** What a request to renew may say: the names of the certificate that it renews, and a key that nobody has called compromised. */
import { HubError, quote } from '../core/errors.ts'
import type { Credential } from '../core/identity/credential.ts'
import type { IdentityId } from '../core/identity/id.ts'
import type { CertificateContent } from '../core/profile/certificate-content.ts'
import { assertRequestFits } from '../core/profile/request-check.ts'
import { type CertificateFields, readCertificate } from '../core/x509/certificate.ts'
import type { CertificateRequest } from '../core/x509/certificate-request.ts'
import { readingAs } from '../core/x509/der-reader.ts'
import { readSubjectAltName } from '../core/x509/extension-reader.ts'
import { type Name, nameText } from '../core/x509/name.ts'
import { oids } from '../core/x509/oids.ts'
import { publicKeyHash } from '../core/x509/public-key.ts'
import type { CredentialReader } from './ports/store.ts'

/**
 * Refuses a request that asks for other names than its certificate has (RFC 7030 §4.2.2), or for what the new one will not
 * say. The new certificate is made from registry and profile as they are now, whatever stands here: a request may repeat the
 * names of the present certificate or those of the next, or leave them out.
 *
 * @param content of the certificate that will be made
 * @throws HubError `renewal-names-differ`, `csr-asks-too-much`, `csr-unreadable`
 */
export function assertRenews(request: CertificateRequest, held: Credential, content: CertificateContent): void {
  if (content.profile.excess === 'ignore') return
  const present = readCertificate(held.certificate)
  const subject = isOneOf(request.subject, present.subject, content) ? noSubject : request.subject
  if (subject !== noSubject) {
    throw differs(
      `the subject ${quote(nameText(subject))}, and the certificate has ${quote(nameText(present.subject))}`,
    )
  }
  const others = request.requestedExtensions.filter((extension) => {
    if (extension.oid !== oids.subjectAltName) return true
    assertNamesKept(
      readingAs('csr-unreadable', 'the requested extension subjectAltName', () => readSubjectAltName(extension)),
      present,
      content,
    )
    return false
  })
  assertRequestFits({ ...request, subject, requestedExtensions: others }, content)
}

const noSubject: Name = { der: new Uint8Array(), attributes: [] }

/** By what they say, since a client may encode a string in another way. */
function isOneOf(asked: Name, present: Name, { subjectAttributes, identityId }: CertificateContent): boolean {
  const id = [{ oid: oids.commonName, value: identityId }]
  return [[], present.attributes, subjectAttributes, id].some((name) => textOf(name) === textOf(asked.attributes))
}

function textOf(attributes: readonly { readonly oid: string; readonly value: string }[]): string {
  return JSON.stringify(attributes.map(({ oid, value }) => [oid, value]))
}

function assertNamesKept(
  asked: ReturnType<typeof readSubjectAltName>,
  present: CertificateFields,
  next: CertificateContent,
): void {
  const known = new Set([
    ...['dnsNames', 'ipAddresses', 'emails'].flatMap((kind) => {
      const key = kind as 'dnsNames' | 'ipAddresses' | 'emails'
      return [...present[key], ...next[key]].map((name) => `${key} ${name.toLowerCase()}`)
    }),
    ...[...present.uris, next.uri].map((uri) => `uris ${uri}`),
  ])
  const wanted = [
    ...asked.uris.map((uri) => ['uris', uri] as const),
    ...asked.dnsNames.map((name) => ['dnsNames', name] as const),
    ...asked.ipAddresses.map((address) => ['ipAddresses', address] as const),
    ...asked.emails.map((email) => ['emails', email] as const),
  ]
  const other = wanted.find(([kind, name]) => !known.has(`${kind} ${kind === 'uris' ? name : name.toLowerCase()}`))
  if (other !== undefined) throw differs(`the name ${quote(other[1])}, which the certificate does not have`)
  if (asked.others > 0) throw differs('a name of a kind that no certificate here has')
}

function differs(what: string): HubError {
  return new HubError('renewal-names-differ', `the request asks for ${what}`)
}

/**
 * Refuses another key where the present one must be kept, and one that an operator has called compromised.
 *
 * @param isKept whether only the key of the credential will do
 * @throws HubError `renewal-key-changed`, `renewal-key-compromised`
 */
export async function assertKeyRenews(
  credentials: Pick<CredentialReader, 'ofKey'>,
  held: Credential,
  publicKey: Uint8Array,
  isKept: boolean,
): Promise<void> {
  const hash = publicKeyHash(publicKey)
  if (isKept && hash !== held.publicKeyHash) {
    throw new HubError(
      'renewal-key-changed',
      `the certificate ${held.serialNumber} has expired, and the request brings another key than its own`,
    )
  }
  await assertKeyNotCompromised(credentials, held.identityId, hash)
}

/**
 * Refuses a key of an identity that an operator has called compromised, whatever else is shown with it.
 *
 * @param hash of the key, as in the registry
 * @throws HubError `renewal-key-compromised`
 */
export async function assertKeyNotCompromised(
  credentials: Pick<CredentialReader, 'ofKey'>,
  id: IdentityId,
  hash: string,
): Promise<void> {
  const ofKey = await credentials.ofKey(id, hash)
  const compromised = ofKey.find(({ revocationReason }) => revocationReason === 'keyCompromise')
  if (compromised === undefined) return
  throw new HubError(
    'renewal-key-compromised',
    `the request brings the key of ${compromised.serialNumber}, which was revoked for keyCompromise`,
  )
}

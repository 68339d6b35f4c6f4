/** Routes of certificates: ordering one, finding them. */
import type { CertificateView, IssuedCertificateView } from '../../../api-schema/certificates.ts'
import * as operations from '../../../api-schema/operations/certificates.ts'
import { HubError, quote } from '../../../core/errors.ts'
import type { Credential } from '../../../core/identity/credential.ts'
import { parseIdentityId } from '../../../core/identity/id.ts'
import type { Identity, IdentityNames } from '../../../core/identity/identity.ts'
import { parseIdentityNames } from '../../../core/identity/names.ts'
import { readCertificate } from '../../../core/x509/certificate.ts'
import { nameText } from '../../../core/x509/name.ts'
import { oidName, oids } from '../../../core/x509/oids.ts'
import { decodePem, encodePem } from '../../../core/x509/pem.ts'
import { publicKeyText, readPublicKey } from '../../../core/x509/public-key.ts'
import type { Access } from '../../../hub/authorise.ts'
import type { Authorities } from '../../../hub/authorities.ts'
import { issueForOperator, type OperatorIssuance, type OperatorIssuanceHub } from '../../../hub/issue-for-operator.ts'
import type { Page } from '../../../hub/ports/page.ts'
import type { CredentialQuery, Store } from '../../../hub/ports/store.ts'
import { parseSerial } from '../serial.ts'
import { type ApiListener, serve } from '../serve.ts'
import { credentialToView } from '../to-view.ts'

/** What ordering a certificate takes beside what every route has. */
export type IssuerParts = Omit<OperatorIssuanceHub, 'store' | 'clock' | 'random'> & {
  readonly authorities: Authorities
}

export function certificateRoutes(api: ApiListener, issuer: IssuerParts): void {
  serve(api, operations.issueCertificate, async ({ hub, actor, access, keep, body }) => {
    const { id, profile, chain, certificateRequest, dnsNames, ipAddresses, emails, lifetimeSec, extendedKeyUsage } =
      body
    const issuance = await issueForOperator(
      { ...issuer, store: hub.store, clock: hub.clock, random: hub.random },
      actor,
      {
        id: parseIdentityId(id),
        profile,
        certificateRequest: requestIn(certificateRequest),
        chain,
        order: { dnsNames, ipAddresses, emails, lifetimeSec, extendedKeyUsage: extendedKeyUsage.map(purposeOid) },
      },
      {
        mayIssue(identity) {
          access.toIdentity(identity, 'identity')
          if (!access.isUnbounded()) assertNamesHeld(identity, { dnsNames, ipAddresses, emails })
        },
        finish: (tx, issued) => keep(tx, { body: issuedToView(issued, issuer.authorities) }),
      },
    )
    return { body: issuedToView(issuance, issuer.authorities) }
  })

  serve(api, operations.listCertificates, async ({ hub, access, query }) => {
    const page = await certificatePage(hub.store, access, query)
    return { body: { items: page.items.map(credentialToView), next: page.next } }
  })

  serve(api, operations.showCertificate, async ({ hub, params }) => {
    const serialNumber = parseSerial(params.serial)
    const credential = await hub.store.credentials.findBySerial(serialNumber)
    if (credential !== null) return { body: certificateToView(credential) }
    throw new HubError('credential-not-found', `the registry holds no certificate ${quote(serialNumber)}`)
  })
}

/**
 * What is called so is an admin's to say: whoever reaches a group orders what the registry already holds, or an enrolment station
 * could have a certificate for any server.
 *
 * @throws HubError `role-forbids`, `name-invalid`
 */
function assertNamesHeld({ id, names: held }: Identity, ordered: IdentityNames): void {
  const names = parseIdentityNames(ordered)
  const other = [
    ...names.dnsNames.filter((name) => !held.dnsNames.includes(name)),
    ...names.ipAddresses.filter((address) => !held.ipAddresses.includes(address)),
    ...names.emails.filter((email) => !held.emails.includes(email)),
  ]
  if (other.length === 0) return
  throw new HubError('role-forbids', `${quote(id)} is not registered with ${other.map(quote).join(', ')}`, {
    hint: 'leave the names out, or let an admin write them down for it',
  })
}

/** The DER of a request in PEM, under the label of RFC 7468 §7 or the older one. */
function requestIn(pem: string): Uint8Array {
  const requests = decodePem(pem, 'csr-unreadable').filter(({ label }) => /^(NEW )?CERTIFICATE REQUEST$/.test(label))
  const [request] = requests
  if (request !== undefined && requests.length === 1) return request.der
  throw new HubError('csr-unreadable', `the text holds ${requests.length} certificate requests in PEM, not one`)
}

function purposeOid(purpose: string): string {
  if (purpose === 'clientAuth') return oids.clientAuth
  return purpose === 'serverAuth' ? oids.serverAuth : purpose
}

interface ListQuery {
  readonly after?: string | undefined
  readonly limit: number
  readonly identity?: string | undefined
  readonly profile?: string | undefined
  readonly state?: Credential['state'] | undefined
  readonly endsAfter?: string | undefined
  readonly endsBefore?: string | undefined
  readonly fingerprint?: string | undefined
}

async function certificatePage(store: Store, access: Access, query: ListQuery): Promise<Page<Credential>> {
  const { after, limit, identity, profile, state, endsAfter, endsBefore, fingerprint } = query
  const inGroups = access.groups()
  if (fingerprint !== undefined) {
    const found = await store.credentials.find(fingerprint)
    const owner = found === null ? null : await store.identities.find(found.identityId)
    return { items: found !== null && owner !== null && access.reaches(owner) ? [found] : [], next: null }
  }
  const wanted: CredentialQuery = {
    after: after ?? null,
    limit,
    ...(inGroups === null ? {} : { inGroups }),
    ...(identity === undefined ? {} : { identityId: parseIdentityId(identity) }),
    ...(profile === undefined ? {} : { profile }),
    ...(state === undefined ? {} : { state }),
    ...(endsAfter === undefined ? {} : { endsFromSec: Math.ceil(Date.parse(endsAfter) / 1000) }),
    ...(endsBefore === undefined ? {} : { endsBeforeSec: Math.ceil(Date.parse(endsBefore) / 1000) }),
  }
  return store.credentials.list(wanted)
}

function issuedToView(
  { credential, profile, authority }: OperatorIssuance,
  authorities: Authorities,
): IssuedCertificateView {
  const pem = (der: Uint8Array): string => encodePem('CERTIFICATE', der)
  return {
    credential: credentialToView(credential),
    certificate: pem(credential.certificate),
    chain: authorities.pathFrom(authority).map(pem).join(''),
    root: authorities
      .roots()
      .filter((root) => root.chain === authority.chain)
      .map((root) => pem(root.certificate))
      .join(''),
    roots: authorities.rootsPem(),
    compatibility: profile.compatibility,
  }
}

function certificateToView(credential: Credential): CertificateView {
  const fields = readCertificate(credential.certificate)
  return {
    credential: credentialToView(credential),
    subject: nameText(fields.subject),
    key: publicKeyText(readPublicKey(fields.publicKey, 'certificate-unreadable')),
    uris: [...fields.uris],
    dnsNames: [...fields.dnsNames],
    ipAddresses: [...fields.ipAddresses],
    emails: [...fields.emails],
    keyUsage: [...(fields.keyUsage ?? [])],
    extendedKeyUsage: (fields.extendedKeyUsage ?? []).map(oidName),
    crlUrls: [...fields.crlDistributionPoints],
    keyOrigin: credential.keyOrigin,
    parentSerialNumber: credential.parentSerial,
    certificate: encodePem('CERTIFICATE', credential.certificate),
  }
}

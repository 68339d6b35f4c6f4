/** Enrolment at an EST server that is no hub (RFC 7030): its roots are brought, and its operations are the standard's alone. */
import type { X509Certificate } from 'node:crypto'
import { HubError, quote } from '../core/errors.ts'
import type { IdentityId } from '../core/identity/id.ts'
import { certificateFingerprint } from '../core/x509/certificate.ts'
import { certificateRequestBy, publicKeyOf } from './certificate-request.ts'
import { type EnrolmentKey, keyForEnrolment } from './enrolment-key.ts'
import { type BasicCredentials, enrolAt, fetchCertificates, isSelfSigned } from './est-client.ts'
import { checkIssuedBelow } from './issued-certificate.ts'
import type { CredentialStore, HubRecord } from './store/credential.ts'
import { credentialOf } from './store/credential-of.ts'
import type { HubAddress } from './tls-exchange.ts'

export interface EnrolAtOptions {
  readonly store: CredentialStore
  readonly address: HubAddress
  /** Where its operations are, such as `/.well-known/est` or `/.well-known/est/plant`. */
  readonly estPath: string
  /** What the server is verified with. */
  readonly roots: readonly X509Certificate[]
  /** Common name of the certificate. */
  readonly id: IdentityId
  /** Null where the server asks for none. */
  readonly credentials: BasicCredentials | null
  readonly key: EnrolmentKey
  /** Replace a credential of somebody else that the store holds. */
  readonly force: boolean
  readonly nowMs: () => number
  onStep?(text: string): void
  onWarning?(text: string): void
}

/**
 * Enrols this device. An agent renews at the same server afterwards.
 *
 * @returns the certificate that is in use now
 * @throws HubError `credential-exists`; `enrolment-tls-untrusted`; `enrolment-waits`; `hub-unreachable`; `hub-answer-unexpected`;
 *   whatever {@link keyForEnrolment} throws
 */
export async function enrolAtServer(options: EnrolAtOptions): Promise<X509Certificate> {
  const { store, address, estPath, id, roots, force } = options
  const held = store.current()
  const isOwn = held?.hub?.id === id && held.hub.host === address.host && held.hub.estPath === estPath
  if (held !== null && !isOwn && !force) {
    throw new HubError(
      'credential-exists',
      `${quote(store.path)} holds a credential of ${held.hub?.host ?? 'somebody'}`,
    )
  }
  const { key, request } = await keyForEnrolment(options.key, id, store, (text) => options.onStep?.(text))
  const rootsPem = roots.map(String).join('')
  options.onStep?.(`asking ${address.host} for its CA certificates`)
  const authorities = await fetchCertificates(address, rootsPem, estPath)
  options.onStep?.('asking for a certificate')
  const asked = { address, roots: rootsPem, estPath }
  const issued = await enrolAt(asked, options.credentials, request ?? (await certificateRequestBy(id, key)))
  const kept = withRootsOf(roots, authorities)
  const certificates = [...issued, ...authorities]
  const question = { certificates, id, publicKey: publicKeyOf(key), nowMs: options.nowMs() }
  const { chain, warnings } = checkIssuedBelow(kept, question)
  for (const warning of warnings) options.onWarning?.(warning)
  const certificate = { chain, roots: kept, hub: recordOf(options, chain[0]) }
  store.install(credentialOf(key, certificate))
  return chain[0]
}

/** What a server says over a connection that has proved itself are its authorities is believed (RFC 7030 §4.1.1). */
function withRootsOf(
  roots: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
): readonly X509Certificate[] {
  const isNew = (each: X509Certificate): boolean => !roots.some((root) => root.raw.equals(each.raw))
  return [...roots, ...authorities.filter((each) => each.ca && isSelfSigned(each) && isNew(each))]
}

function recordOf({ address, estPath, id, roots }: EnrolAtOptions, leaf: X509Certificate): HubRecord {
  const [root] = roots
  return {
    ...{ id, host: address.host, httpsPort: address.port, mqttPort: 0, tokenId: '', estPath },
    rootFingerprint: root === undefined ? '' : certificateFingerprint(root.raw),
    fingerprint: certificateFingerprint(leaf.raw),
  }
}

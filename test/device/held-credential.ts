/** A folder with a credential in it, and others to put in its place. */
import { X509Certificate } from 'node:crypto'
import { parseIdentityId } from '../../src/core/identity/id.ts'
import { certificateRequest, makeKey } from '../../src/device/certificate-request.ts'
import type { HubRecord } from '../../src/device/store/credential.ts'
import { openCredentialStore } from '../../src/device/store/open.ts'
import type { OpensslAuthority } from './est-authority.ts'

export interface HubPlace {
  readonly host: string
  readonly mqttPort?: number
}

/**
 * Puts a new key with a new certificate into a folder, as an enrolment or a renewal does.
 *
 * @param hub null where the certificate names no hub
 * @returns SHA-256 of the certificate, lower-case hexadecimal
 */
export function putCredential(
  authority: OpensslAuthority,
  directory: string,
  id: string,
  hub: HubPlace | null = { host: 'localhost' },
): string {
  const keyPem = makeKey()
  const parsed = parseIdentityId(id)
  const leaf = new X509Certificate(authority.sign(Buffer.from(certificateRequest(parsed, keyPem))))
  const fingerprint = fingerprintOf(leaf)
  openCredentialStore(directory).install({
    keyPem,
    chain: [leaf, new X509Certificate(authority.read('issuing.pem'))],
    roots: [new X509Certificate(authority.read('root.pem'))],
    hub: hub === null ? null : recordOf(authority, id, hub, fingerprint),
  })
  return fingerprint
}

function recordOf({ rootFingerprint }: OpensslAuthority, id: string, hub: HubPlace, fingerprint: string): HubRecord {
  const { host, mqttPort = 8883 } = hub
  return { id, host, httpsPort: 8443, mqttPort, rootFingerprint, tokenId: '0123456789abcdef', fingerprint }
}

function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase()
}

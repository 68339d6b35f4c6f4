/** Credentials of one device, and others, from an authority that is not ours. */
import { X509Certificate } from 'node:crypto'
import { parseIdentityId } from '../../../src/core/identity/id.ts'
import type { Secret } from '../../../src/core/secret.ts'
import { certificateRequest, makeKey } from '../../../src/device/certificate-request.ts'
import type { HubRecord, NewCredential } from '../../../src/device/store/credential.ts'
import type { OpensslAuthority } from '../est-authority.ts'

export const id = parseIdentityId('pump-7')

/** A credential for a key that is made for it, with the record of its hub. */
export function credential(
  authority: OpensslAuthority,
  keyPem: Secret = makeKey(),
): NewCredential & { hub: HubRecord } {
  const leaf = new X509Certificate(authority.sign(Buffer.from(certificateRequest(id, keyPem))))
  return {
    keyPem,
    chain: [leaf, new X509Certificate(authority.read('issuing.pem'))],
    roots: [new X509Certificate(authority.read('root.pem'))],
    hub: {
      id,
      host: 'hub.example',
      httpsPort: 8443,
      mqttPort: 8883,
      rootFingerprint: authority.rootFingerprint,
      tokenId: '0123456789abcdef',
      fingerprint: fingerprintOf(leaf),
    },
  }
}

export function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase()
}

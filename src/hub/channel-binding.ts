/** The proof that who made a certificate request is who brings it (RFC 7030 §3.5). */
import { HubError } from '../core/errors.ts'
import type { CertificateRequest } from '../core/x509/certificate-request.ts'

/** What only the two ends of one connection know (RFC 5929 §3, RFC 9266 §2). */
export interface ChannelBinding {
  readonly kind: 'tls-unique' | 'tls-exporter'
  readonly value: Uint8Array
}

/** Says what a connection is bound by; null where it has nothing of the kind. */
export type BindingOfConnection = () => ChannelBinding | null

/**
 * Refuses a request that is bound to another connection than the one that brought it: it was taken from somebody and is being
 * passed on. A request that is bound to none passes; RFC 7030 leaves that to the client.
 *
 * @param ofConnection is asked only where the request is bound at all; nothing binds where it is left out
 * @throws HubError `channel-binding-mismatch`
 */
export function assertBoundTo(request: CertificateRequest, ofConnection: BindingOfConnection | undefined): void {
  const { challengePassword } = request
  if (challengePassword === null) return
  const binding = ofConnection?.() ?? null
  if (binding === null) {
    throw new HubError(
      'channel-binding-mismatch',
      'the certificate request is bound to a connection, and this one has nothing to compare it with',
    )
  }
  if (challengePassword === Buffer.from(binding.value).toString('base64')) return
  throw new HubError(
    'channel-binding-mismatch',
    `the challengePassword of the certificate request is not the ${binding.kind} of this connection`,
    { hint: hints[binding.kind] },
  )
}

const hints: Readonly<Record<ChannelBinding['kind'], string>> = {
  'tls-unique': 'make the request after the handshake of the connection that sends it, or leave challengePassword out',
  'tls-exporter':
    'TLS 1.3 has no tls-unique: put base64 of its tls-exporter (RFC 9266) there, use TLS 1.2, or leave challengePassword out',
}

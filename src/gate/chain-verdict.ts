/** What OpenSSL has made of a client's certificate in the handshake. */
import type { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { ListenerSettings } from '../core/listener/listener-settings.ts'
import type { ChainVerdict } from '../hub/gate-admission.ts'

/**
 * @param peer as Node gave it first: asked again, it has forgotten what the client sent behind its certificate
 * @returns null on a listener without trust anchors, where no chain is built and the registry alone is asked
 */
export function chainVerdict(
  socket: Pick<TLSSocket, 'authorized' | 'authorizationError' | 'isSessionReused'>,
  { anchors }: Pick<ListenerSettings, 'anchors'>,
  peer: X509Certificate | undefined,
): ChainVerdict | null {
  if (anchors.length === 0) return null
  const failure = socket.authorized ? null : wordOf(socket.authorizationError)
  const sentIssuer = failure === unnamed ? (peer?.issuerCertificate?.raw ?? null) : null
  return { failure, isResumed: socket.isSessionReused(), sentIssuer, anchors }
}

/** Node's word where OpenSSL's error has none, such as an issuer that is no authority. */
const unnamed = 'UNSPECIFIED'

/** It is an Error with a code or that code alone, by the version of Node. */
function wordOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : error
  return typeof code === 'string' ? code : unnamed
}

/** What OpenSSL has made of a client's certificate in the handshake. */
import type { TLSSocket } from 'node:tls'
import type { ListenerSettings } from '../core/listener/listener-settings.ts'
import type { ChainVerdict } from '../hub/gate-admission.ts'

/** @returns null on a listener without trust anchors, where no chain is built and the registry alone is asked */
export function chainVerdict(
  socket: Pick<TLSSocket, 'authorized' | 'authorizationError' | 'isSessionReused'>,
  { anchors }: Pick<ListenerSettings, 'anchors'>,
): ChainVerdict | null {
  if (anchors.length === 0) return null
  const failure = socket.authorized ? null : wordOf(socket.authorizationError)
  return { failure, isResumed: socket.isSessionReused(), anchors }
}

/** It is an Error with a code or that code alone, by the version of Node. */
function wordOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : error
  return typeof code === 'string' ? code : 'UNSPECIFIED'
}

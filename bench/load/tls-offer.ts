/** What every client of the load offers, so that no server decides how dear a handshake is. */
import type { SecureContextOptions, TLSSocket } from 'node:tls'

export const tlsOffer = {
  minVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_128_GCM_SHA256',
  ecdhCurve: 'X25519',
} as const satisfies SecureContextOptions

/** What a handshake has agreed on. */
export function tlsInWords(socket: TLSSocket): string {
  const { name, size } = socket.getEphemeralKeyInfo() as { name?: string; size?: number }
  return [socket.getProtocol(), socket.getCipher().standardName, name ?? `${size} bit`].join(', ')
}

/**
 * What binds a certificate request to the TLS connection that brings it (RFC 7030 §3.5): a value that both ends of one
 * connection know and that no other connection has.
 */
import { TLSSocket } from 'node:tls'
import type { ChannelBinding } from '../../hub/channel-binding.ts'

/**
 * The channel binding of a connection: tls-unique below TLS 1.3 (RFC 5929 §3), tls-exporter in TLS 1.3 (RFC 9266), where
 * tls-unique does not exist.
 *
 * @param socket what carried the request; null where it is no TLS connection, which binds nothing
 */
export function channelBindingOf(socket: unknown): ChannelBinding | null {
  if (!(socket instanceof TLSSocket)) return null
  if (socket.getProtocol() === 'TLSv1.3') {
    return { kind: 'tls-exporter', value: socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)) }
  }
  // The first Finished message of the handshake: the client's in a full one, the server's in a resumed one.
  const value = socket.isSessionReused() ? socket.getFinished() : socket.getPeerFinished()
  return value === undefined ? null : { kind: 'tls-unique', value }
}

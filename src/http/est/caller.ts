/** Who asks over EST: the holder of a token, or of a certificate that came in the handshake. */
import type { FastifyRequest } from 'fastify'
import { Secret } from '../../core/secret.ts'
import type { ChannelBinding } from '../../hub/channel-binding.ts'
import { peerAddress } from '../../hub/peer-address.ts'
import { clientCertificate } from '../listen.ts'
import { channelBindingOf } from './channel-binding.ts'

export interface EstCaller {
  /** As `peerAddress` gives it. */
  readonly address: string
  /** The user name of HTTP Basic; empty when there is none. */
  readonly claimedId: string
  /** The token's whole text as presented, or null when none was. */
  readonly tokenText: Secret | null
  /** The certificate of the handshake in DER, judged by nobody yet, or null. */
  readonly certificate: Uint8Array | null
  readonly tlsVersion: string | null
  /** What a certificate request may be bound to. It is asked for only where one says that it is bound. */
  binding(): ChannelBinding | null
}

export function callerOf(request: FastifyRequest): EstCaller {
  const { socket } = request.raw
  return {
    address: peerAddress(request.ip),
    ...basicCredentials(request),
    certificate: clientCertificate(socket),
    tlsVersion: 'getProtocol' in socket && typeof socket.getProtocol === 'function' ? socket.getProtocol() : null,
    binding: () => channelBindingOf(socket),
  }
}

/** User name and password of HTTP Basic (RFC 7617); the password is the token. */
function basicCredentials(request: FastifyRequest): Pick<EstCaller, 'claimedId' | 'tokenText'> {
  const match = /^Basic ([A-Za-z0-9+/=]{1,512})$/i.exec(request.headers.authorization ?? '')
  if (match === null) return { claimedId: '', tokenText: null }
  const text = Buffer.from(match[1] ?? '', 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 0) return { claimedId: '', tokenText: null }
  return { claimedId: text.slice(0, colon), tokenText: new Secret(text.slice(colon + 1)) }
}

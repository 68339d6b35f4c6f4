/** Opens a socket to a broker. */
import { connect, isIP, type Socket } from 'node:net'
import { createSecureContext, type SecureContext, connect as tlsConnect } from 'node:tls'
import type { Secret } from '../../../core/secret.ts'
import type { BrokerAddress } from '../../../core/upstream/broker-address.ts'

/** What the gate shows a broker over TLS and judges it by. */
export interface BrokerTls {
  /** CA certificates, PEM; null for those of the system. */
  readonly ca: string | null
  /** The client certificate of the gate with its issuers, PEM, and its key; null for none. */
  readonly own: { readonly certificate: string; readonly key: Secret } | null
}

/** Silence after which TCP asks whether the other side is still there. */
const KEEP_ALIVE_MS = 30_000

/**
 * @throws Error when certificates or key of `tls` cannot be used
 * @returns the way to open a socket; what is written before it is connected is sent then
 */
export function dialer(tls: BrokerTls): (address: BrokerAddress) => Socket {
  let context: SecureContext | null = null
  if (tls.ca !== null || tls.own !== null) context = secureContext(tls)
  return (address) => {
    if (address.transport === 'unix') return connect({ path: address.path })
    const { host, port } = address
    const socket =
      address.transport === 'tcp'
        ? connect({ host, port })
        : tlsConnect({
            ...{ host, port, minVersion: 'TLSv1.2' },
            ...(isIP(host) === 0 ? { servername: host } : {}),
            ...(context === null ? {} : { secureContext: context }),
          })
    socket.setNoDelay(true)
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    return socket
  }
}

function secureContext({ ca, own }: BrokerTls): SecureContext {
  return createSecureContext({
    minVersion: 'TLSv1.2',
    ...(ca === null ? {} : { ca }),
    ...(own === null ? {} : { cert: own.certificate, key: own.key.reveal() }),
  })
}

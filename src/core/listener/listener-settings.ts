/** What one listener of the gate accepts: where it stands, what it asks of clients, and how they may speak to it. */

/** Whether clients show a certificate. Who shows none, where that is allowed, needs a password. */
export const certificateModes = ['required', 'optional', 'none'] as const
export type CertificateMode = (typeof certificateModes)[number]

export const tlsVersions = ['1.2', '1.3'] as const
export type TlsVersion = (typeof tlsVersions)[number]

export interface ListenerSettings {
  /** Unique in its gate; stands in attempts and in conditions of the policy. */
  readonly name: string
  readonly host: string
  /** 0 picks a free port. */
  readonly port: number
  readonly clientCertificate: CertificateMode
  /** Trust anchors, by id, whose certificates are taken besides those of the hub. */
  readonly anchors: readonly string[]
  /** At least one. */
  readonly tlsVersions: readonly TlsVersion[]
  /**
   * Protocols of ALPN (RFC 7301) that a client may ask for; null takes what it asks for. A client that asks for none is always
   * served.
   */
  readonly alpn: readonly string[] | null
  /** Null for MQTT straight over TLS. */
  readonly websocket: WebSocketSettings | null
  /** Null where a PROXY header is refused from everybody. */
  readonly proxyProtocol: ProxySettings | null
  readonly limits: ListenerLimits
}

export interface WebSocketSettings {
  /** Of the request that opens it, as in `/mqtt`. */
  readonly path: string
  /** Pages that may connect besides those of the same origin, as in `https://dash.plant.example`. */
  readonly origins: readonly string[]
}

export interface ProxySettings {
  /** In CIDR form: who connects from there must begin with a PROXY header of version 2, and nobody else may. */
  readonly networks: readonly string[]
}

export interface ListenerLimits {
  /** Connections that are open at one time; null for no bound besides those of the gate. */
  readonly connectionsMax: number | null
}

/** The name of the listener that every hub has: the one of `--mqtt-port`. */
export const defaultListenerName = 'mqtt'

/** The listener that a hub has when nothing is said about it. */
export function defaultListener(host: string, port: number): ListenerSettings {
  return {
    name: defaultListenerName,
    host,
    port,
    clientCertificate: 'required',
    anchors: [],
    tlsVersions,
    alpn: null,
    websocket: null,
    proxyProtocol: null,
    limits: { connectionsMax: null },
  }
}

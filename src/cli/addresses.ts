/** Addresses of a hub as people type them. */
interface Endpoint {
  readonly host: string
  readonly port: number
}

/** `host:port`, an IPv6 address in brackets. */
export function hostAndPort({ host, port }: Endpoint): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** One listener under the public name of its hub. */
export interface PublicAddress {
  readonly name: string
  readonly url: string
  readonly purpose: string
  /** Where it listens on the machine. */
  readonly listens: Endpoint
}

/** A listener of the gate. */
interface GateEndpoint extends Endpoint {
  readonly name: string
  readonly path: string | null
}

/** A listener of a gate under a name of its machine. */
export function listenerUrl(name: string, { port, path }: Pick<GateEndpoint, 'port' | 'path'>): string {
  const place = hostAndPort({ host: name, port })
  return path === null ? `mqtts://${place}` : `wss://${place}${path}`
}

/** The listeners that devices use. */
export function publicAddresses(
  publicName: string,
  {
    listeners,
    https,
    http,
  }: {
    readonly listeners: readonly GateEndpoint[]
    readonly https: Endpoint
    readonly http: Endpoint
  },
): readonly PublicAddress[] {
  const url = (scheme: string, { port }: Endpoint): string => `${scheme}://${hostAndPort({ host: publicName, port })}`
  return [
    ...listeners.map((listener, index) => ({
      name: index === 0 ? 'MQTT' : listener.name,
      url: listenerUrl(publicName, listener),
      purpose: 'devices',
      listens: listener,
    })),
    { name: 'HTTPS', url: url('https', https), purpose: 'enrolment', listens: https },
    { name: 'HTTP', url: url('http', http), purpose: 'CRLs, OCSP and CA certificates', listens: http },
  ]
}

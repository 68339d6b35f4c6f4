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

/** The three listeners that devices use. */
export function publicAddresses(
  publicName: string,
  { mqtt, https, http }: { readonly mqtt: Endpoint; readonly https: Endpoint; readonly http: Endpoint },
): readonly PublicAddress[] {
  const url = (scheme: string, { port }: Endpoint): string => `${scheme}://${hostAndPort({ host: publicName, port })}`
  return [
    { name: 'MQTT', url: url('mqtts', mqtt), purpose: 'devices', listens: mqtt },
    { name: 'HTTPS', url: url('https', https), purpose: 'enrolment', listens: https },
    { name: 'HTTP', url: url('http', http), purpose: 'CRLs, OCSP and CA certificates', listens: http },
  ]
}

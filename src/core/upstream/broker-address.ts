/** Where a broker is that the gate reaches over a socket, as operators write it: `mqtt://`, `mqtts://` or `unix:`. */
import { isIP } from 'node:net'
import { quote } from '../errors.ts'

export type BrokerAddress =
  | { readonly transport: 'tcp' | 'tls'; readonly host: string; readonly port: number }
  | { readonly transport: 'unix'; readonly path: string }

/** The ports that IANA gives MQTT, without and with TLS. */
const usualPorts = { tcp: 1883, tls: 8883 } as const

/** `sun_path` of Linux, less its end. */
const SOCKET_PATH_BYTES_MAX = 107

const hostName = /^(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*$/

/**
 * Reads one address.
 *
 * @returns the address, or what is wrong with the text, as the end of a sentence
 */
export function parseBrokerAddress(text: string): BrokerAddress | string {
  if (text.startsWith('unix:')) return readSocketPath(text.slice('unix:'.length))
  const match = /^(mqtts?):\/\/(?:\[([0-9A-Fa-f:.]+)\]|([^/?#@[\]:]+))(?::([0-9]{1,5}))?\/?$/.exec(text)
  if (match === null) {
    // What stands before the @ may be a password: it is not quoted.
    if (text.includes('@')) return 'holds a login; give it with broker-login-file, where no list of processes shows it'
    return `${quote(text)} is not of the form mqtt://host:port, mqtts://host:port or unix:/path`
  }
  const transport = match[1] === 'mqtts' ? 'tls' : 'tcp'
  const host = match[2] ?? match[3] ?? ''
  const port = match[4] === undefined ? usualPorts[transport] : Number(match[4])
  if (isIP(host) === 0 && !(hostName.test(host) && host.length <= 253)) return `${quote(host)} is not a host`
  if (port < 1 || port > 65_535) return `${quote(String(port))} is not a port from 1 to 65535`
  return { transport, host, port }
}

function readSocketPath(path: string): BrokerAddress | string {
  if (!path.startsWith('/')) return `${quote(path)} is not an absolute path of a unix socket`
  const bytes = Buffer.byteLength(path)
  if (bytes > SOCKET_PATH_BYTES_MAX) {
    return `the path of a unix socket has at most ${SOCKET_PATH_BYTES_MAX} bytes, and ${quote(path)} has ${bytes}`
  }
  return { transport: 'unix', path }
}

/** The address as it is written, for people and logs. */
export function brokerAddressText(address: BrokerAddress): string {
  if (address.transport === 'unix') return `unix:${address.path}`
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return `${address.transport === 'tls' ? 'mqtts' : 'mqtt'}://${host}:${address.port}`
}

/** The address of a broker as a person writes it. */
import { isIP } from 'node:net'
import { HubError, quote } from '../../core/errors.ts'

export interface Target {
  /** As it was written. */
  readonly text: string
  /** Name or address; an IPv6 address without brackets. */
  readonly host: string
  readonly port: number
  readonly isTls: boolean
  /** The path of a WebSocket; null for MQTT itself. */
  readonly path: string | null
}

interface Scheme {
  readonly isTls: boolean
  readonly port: number
  readonly isWebSocket: boolean
}

const mqtt: Scheme = { isTls: false, port: 1883, isWebSocket: false }
const mqtts: Scheme = { isTls: true, port: 8883, isWebSocket: false }
const schemes: ReadonlyMap<string, Scheme> = new Map([
  ...['mqtt', 'tcp'].map((name) => [name, mqtt] as const),
  ...['mqtts', 'ssl', 'tls'].map((name) => [name, mqtts] as const),
  ...['ws', 'http'].map((name) => [name, { isTls: false, port: 80, isWebSocket: true }] as const),
  ...['wss', 'https'].map((name) => [name, { isTls: true, port: 443, isWebSocket: true }] as const),
])

const form = /^(?:([a-z]+):\/\/)?(?:\[([0-9a-f:.]+)\]|([^/?#@[\]:]+))(?::([0-9]{1,5}))?(\/[^\s#]*)?$/i

const addressHint = 'write host, host:port, mqtts://host:port, mqtt://host:port or wss://host:port/path'

const hostName = /^[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?\.?$/i

/**
 * Without a scheme it is MQTT over TLS, except on port 1883.
 *
 * @throws HubError `usage`
 */
export function parseTarget(text: string): Target {
  if (text.includes('@')) {
    // What stands before it may be a password: it is not quoted.
    throw new HubError('usage', 'the address holds a login', { hint: 'give it with --username and --password-file' })
  }
  const bare = isIP(text) === 6 ? `[${text}]` : text
  const [, schemeName, bracketed, name, portText, path] = form.exec(bare) ?? []
  const host = bracketed ?? name
  const named = schemeName === undefined ? null : (schemes.get(schemeName.toLowerCase()) ?? undefined)
  const isHost = host !== undefined && (isIP(host) !== 0 || (host.length <= 253 && hostName.test(host)))
  const otherScheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]
  if (otherScheme !== undefined && !schemes.has(otherScheme.toLowerCase())) {
    throw new HubError('usage', `${quote(text)} is no address of MQTT: ${quote(otherScheme)} is another protocol`, {
      hint: addressHint,
    })
  }
  if (!isHost || named === undefined) {
    throw new HubError('usage', `${quote(text)} is no address of a broker`, {
      hint: addressHint,
    })
  }
  const scheme = named ?? (portText === '1883' ? mqtt : mqtts)
  const port = portText === undefined ? scheme.port : Number(portText)
  if (port < 1 || port > 65_535) throw new HubError('usage', `${quote(portText)} is no port from 1 to 65535`)
  if (bracketed !== undefined && isIP(bracketed) !== 6)
    throw new HubError('usage', `${quote(bracketed)} is no IPv6 address`)
  return { text, host, port, isTls: scheme.isTls, path: scheme.isWebSocket ? (path ?? '/mqtt') : null }
}

/** As in `127.0.0.1:8883` and `[::1]:8883`. */
export function endpointText(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Where the local proxy listens: the loopback address or a unix socket, and nowhere else. */
import { isIP } from 'node:net'
import { isAbsolute } from 'node:path'
import { HubError, quote } from '../../core/errors.ts'

export type LocalAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

/**
 * Reads `127.0.0.1:1883`, `[::1]:1883`, `localhost:1883`, a port alone, `unix:/run/mqtt.sock` or an absolute path. Port 0 picks a
 * free one.
 *
 * @throws HubError `proxy-address-unusable` for what cannot be read and for addresses that other machines reach
 */
export function parseLocalAddress(text: string): LocalAddress {
  const path = text.startsWith('unix:') ? text.slice('unix:'.length) : text
  if (isAbsolute(path)) return unixAddress(path)
  const match = /^(?:(\[[0-9a-fA-F:.]+\]|[^:[\]]+):)?([0-9]{1,5})$/.exec(text)
  const port = Number(match?.[2])
  if (match === null || port > 65_535) throw refusal(`${quote(text)} is no address to listen on`)
  const given = (match[1] ?? 'localhost').replace(/^\[(.*)\]$/, '$1').toLowerCase()
  // What a resolver says of "localhost" is not asked.
  const host = given === 'localhost' ? '127.0.0.1' : given
  if (!isLoopback(host)) {
    throw refusal(`${quote(text)} is not the loopback address: whoever reaches it would be this device`)
  }
  return { kind: 'tcp', host, port }
}

/** As it is written in messages and configuration of clients. */
export function localAddressText(address: LocalAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`
}

/** Bytes of a path that a unix socket may have on Linux, less the one that ends it (unix(7)). */
const socketPathBytesMax = 107

function unixAddress(path: string): LocalAddress {
  if (Buffer.byteLength(path) > socketPathBytesMax) {
    throw refusal(`${quote(path)} is longer than the ${socketPathBytesMax} bytes that a unix socket may have`)
  }
  return { kind: 'unix', path }
}

function isLoopback(host: string): boolean {
  return isIP(host) === 4 ? host.startsWith('127.') : host === '::1'
}

function refusal(message: string): HubError {
  return new HubError('proxy-address-unusable', message, {
    hint: 'give 127.0.0.1:<port>, [::1]:<port> or unix:<path>',
  })
}

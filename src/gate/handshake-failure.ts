/** Says in a sentence why a TLS handshake came to nothing. */
import { quote } from '../core/errors.ts'
import { tlsAlertNamed } from '../core/failure/tls-alerts.ts'
import { beginsProxyHeader } from '../core/listener/proxy-header.ts'
import type { ClientHello } from '../core/tls/client-hello.ts'
import { alertEnding, type HandshakeFacts } from './client-alert.ts'
import { isNothingShared, nothingShared } from './nothing-shared.ts'
import type { Ending } from './options.ts'

const HANDSHAKE_RECORD = 0x16
const ALERT_RECORD = 0x15
const MQTT_CONNECT = 0x10

/**
 * Judges the first bytes of a connection.
 *
 * @returns null when they may be TLS, else why they are not
 */
export function firstBytesRefusal(bytes: Uint8Array): Ending | null {
  const first = bytes[0]
  if (first === HANDSHAKE_RECORD || isOldHello(bytes)) return null
  if (first === MQTT_CONNECT) {
    return { code: 'plain-mqtt-on-tls-port', sentence: 'the client spoke MQTT without TLS on the TLS port' }
  }
  if (first === ALERT_RECORD) {
    const sentence = 'the client sent a TLS alert in place of a ClientHello: its own TLS settings cannot work'
    return { code: 'tls-client-alert', sentence }
  }
  if (bytes.length >= 12 && beginsProxyHeader(bytes)) return proxyRefused('version 2')
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 16)).toString('latin1')
  if (start.startsWith('PROXY ')) return proxyRefused('version 1')
  if (/^(GET|HEAD|POST|PUT|DELETE|OPTIONS|CONNECT|TRACE|PATCH|PRI) /.test(start)) {
    return { code: 'http-on-tls-port', sentence: `the client spoke HTTP on the MQTT port: ${quote(start)}` }
  }
  return { code: 'not-tls', sentence: `the first bytes were neither TLS nor MQTT: ${quote(start)}` }
}

function proxyRefused(version: string): Ending {
  const sentence = `the connection began with a PROXY header of ${version}, which is not accepted from there`
  return { code: 'proxy-header-refused', sentence }
}

/** The ClientHello of SSL 2.0, which OpenSSL answers with the right alert. */
function isOldHello(bytes: Uint8Array): boolean {
  return ((bytes[0] ?? 0) & 0x80) !== 0 && bytes[2] === 0x01
}

/**
 * Why a handshake failed, from the error that Node gives.
 *
 * @param facts what the client has offered and been shown
 */
export function handshakeFailure(error: Error, facts: HandshakeFacts): Ending {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const alert = /^ERR_SSL_(?:TLSV1|TLSV13|SSLV3|SSL\/TLS)_ALERT_(.+)$/.exec(code)?.[1]?.toLowerCase()
  if (alert !== undefined) return alertEnding(tlsAlertNamed(alert), alert, facts)
  if (isNothingShared(code)) return nothingShared(code, facts)
  switch (code) {
    case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
      return { code: 'tls-version-unsupported', sentence: versionsSentence(facts.hello) }
    case 'ERR_SSL_NO_APPLICATION_PROTOCOL': {
      const offered = (facts.hello?.protocols ?? []).slice(0, 4).map(quote).join(', ')
      const sentence = `the listener takes none of the application protocols (ALPN) that the client offers: ${offered}`
      return { code: 'tls-no-application-protocol', sentence }
    }
    case 'ERR_SSL_BAD_SIGNATURE':
    case 'ERR_SSL_PROVIDER_SIGNATURE_FAILURE':
      return {
        code: 'client-key-unproved',
        sentence: 'the signature of the client over the handshake was not made with the key of its certificate',
      }
    case 'ERR_SSL_WRONG_CURVE':
      return {
        code: 'client-curve-unsupported',
        sentence: 'the key of the certificate of the client is on a curve that TLS does not take here',
      }
    case 'ERR_SSL_HTTP_REQUEST':
      return { code: 'http-on-tls-port', sentence: 'the client spoke HTTP on the MQTT port' }
    case 'ERR_TLS_HANDSHAKE_TIMEOUT':
      return { code: 'tls-timeout', sentence: 'the TLS handshake did not end in time' }
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ERR_SSL_UNEXPECTED_EOF_WHILE_READING':
      return closedEarly
    default:
      return { code: 'tls-failed', sentence: `the TLS handshake failed: ${quote(code === '' ? error.message : code)}` }
  }
}

function versionsSentence(hello: ClientHello | null): string {
  if (hello === null) return 'the client offers no TLS version that the listener takes'
  const offered = hello.versions ?? [hello.legacyVersion]
  const names = offered.flatMap((version) => versionNames.get(version) ?? [])
  const words = names.length === 0 ? 'no TLS version that is known' : names.join(', ')
  return `the client offers ${words}${hello.versions === null ? ' at most' : ''}, and the listener takes none of these`
}

const versionNames: ReadonlyMap<number, string> = new Map([
  [0x0300, 'SSL 3.0'],
  [0x0301, 'TLS 1.0'],
  [0x0302, 'TLS 1.1'],
  [0x0303, 'TLS 1.2'],
  [0x0304, 'TLS 1.3'],
])

export const closedEarly: Ending = {
  code: 'tls-closed-early',
  sentence: 'the client closed the connection during the TLS handshake; it may not trust the certificate of the hub',
}

export const closedUnused: Ending = {
  code: 'closed-unused',
  sentence: 'the connection was closed before the client sent a byte; health checks and port scans look like this',
}

/** True for an error that carries a TLS alert of the client. */
export function isClientAlert(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && /^ERR_SSL_.*_ALERT_/.test(error.code)
}

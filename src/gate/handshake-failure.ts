/** Says in a sentence why a TLS handshake came to nothing. */
import { quote } from '../core/errors.ts'
import { beginsProxyHeader } from '../core/listener/proxy-header.ts'
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
    return { code: 'tls-failed', sentence }
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

/** Alerts by which a client says that it does not accept the hub's certificate, as they stand in OpenSSL's codes. */
const rejectingAlerts: Readonly<Record<string, string>> = {
  UNKNOWN_CA: 'unknown_ca: it does not have the root certificate of this hub',
  BAD_CERTIFICATE: 'bad_certificate: name, dates or signature do not suit it; its clock may be wrong',
  CERTIFICATE_EXPIRED: 'certificate_expired: its clock is ahead, or the certificate of the hub has expired',
  CERTIFICATE_UNKNOWN: 'certificate_unknown: it gives no closer reason',
  CERTIFICATE_REVOKED: 'certificate_revoked: its revocation list names the certificate of the hub',
  UNSUPPORTED_CERTIFICATE: 'unsupported_certificate: it cannot use this kind of certificate',
}

/** Why a handshake failed, from the error that Node gives. */
export function handshakeFailure(error: Error): Ending {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const alert = /^ERR_SSL_(?:TLSV1|TLSV13|SSLV3|SSL\/TLS)_ALERT_(.+)$/.exec(code)?.[1]
  if (alert !== undefined) return alertFailure(alert)
  switch (code) {
    case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
      return { code: 'tls-version-unsupported', sentence: 'the client offers only TLS versions below 1.2' }
    case 'ERR_SSL_NO_SHARED_CIPHER':
    case 'ERR_SSL_NO_SUITABLE_KEY_SHARE':
    case 'ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM':
    case 'ERR_SSL_NO_SHARED_SIGNATURE_ALGORITHMS':
      return {
        code: 'tls-no-shared-cipher',
        sentence: `client and hub share no cipher suite, curve or signature type (${code})`,
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

export const closedEarly: Ending = {
  code: 'tls-closed-early',
  sentence: 'the client closed the connection during the TLS handshake; it may not trust the certificate of the hub',
}

export const closedUnused: Ending = {
  code: 'tls-closed-early',
  sentence: 'the connection was closed before the client sent a byte; health checks and port scans look like this',
}

/** The failure behind an alert of the client, by the alert's name in OpenSSL's spelling. */
function alertFailure(alert: string): Ending {
  const rejection = rejectingAlerts[alert]
  if (rejection !== undefined) {
    return {
      code: 'tls-client-rejected-hub',
      sentence: `the client did not accept the certificate of the hub and sent the alert ${rejection}`,
    }
  }
  if (alert === 'PROTOCOL_VERSION') {
    return { code: 'tls-version-unsupported', sentence: 'the client accepts no TLS version of the hub' }
  }
  return { code: 'tls-failed', sentence: `the client ended the TLS handshake with the alert ${alert.toLowerCase()}` }
}

/** True for an error that carries a TLS alert of the client. */
export function isClientAlert(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && /^ERR_SSL_.*_ALERT_/.test(error.code)
}

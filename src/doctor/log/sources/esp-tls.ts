/** ESP-IDF: esp-tls, its transports and its MQTT client. The numbers of mbedTLS in these lines stand in its own table. */
import type { Source } from '../sign.ts'
import type { Symptom } from '../symptom.ts'
import { type SymptomName, symptoms } from '../symptoms/index.ts'

/** esp_tls_errors.h, from 0x8000 on. */
const errors: ReadonlyMap<number, readonly [name: string, says: SymptomName | null]> = new Map([
  [0x8001, ['ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME', 'name-not-found']],
  [0x8002, ['ESP_ERR_ESP_TLS_CANNOT_CREATE_SOCKET', 'memory-short']],
  [0x8003, ['ESP_ERR_ESP_TLS_UNSUPPORTED_PROTOCOL_FAMILY', null]],
  [0x8004, ['ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST', 'connect-failed']],
  [0x8005, ['ESP_ERR_ESP_TLS_SOCKET_SETOPT_FAILED', null]],
  [0x8006, ['ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT', 'port-silent']],
  [0x8007, ['ESP_ERR_ESP_TLS_SE_FAILED', null]],
  [0x8008, ['ESP_ERR_ESP_TLS_TCP_CLOSED_FIN', 'closed-early']],
  [0x8009, ['ESP_ERR_ESP_TLS_SERVER_HANDSHAKE_TIMEOUT', 'handshake-late']],
  [0x8010, ['ESP_ERR_MBEDTLS_CERT_PARTLY_OK', 'certificate-unreadable-here']],
  [0x8012, ['ESP_ERR_MBEDTLS_SSL_SET_HOSTNAME_FAILED', null]],
  [0x8015, ['ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED', 'certificate-unreadable-here']],
  [0x8016, ['ESP_ERR_MBEDTLS_SSL_CONF_OWN_CERT_FAILED', 'key-mismatch']],
  [0x8017, ['ESP_ERR_MBEDTLS_SSL_SETUP_FAILED', 'memory-short']],
  [0x8018, ['ESP_ERR_MBEDTLS_SSL_WRITE_FAILED', 'closed-early']],
  [0x8019, ['ESP_ERR_MBEDTLS_PK_PARSE_KEY_FAILED', 'key-unreadable']],
  [0x801a, ['ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED', 'handshake-failed']],
  [0x8031, ['ESP_ERR_WOLFSSL_SSL_SET_HOSTNAME_FAILED', null]],
  [0x8033, ['ESP_ERR_WOLFSSL_CERT_VERIFY_SETUP_FAILED', 'certificate-unreadable-here']],
  [0x8034, ['ESP_ERR_WOLFSSL_KEY_VERIFY_SETUP_FAILED', 'key-unreadable']],
  [0x8035, ['ESP_ERR_WOLFSSL_SSL_HANDSHAKE_FAILED', 'handshake-failed']],
])

/** An error of esp-tls by its number; the symptom is null where it says nothing of a cause. */
export function espTlsError(number: number): readonly [name: string, symptom: Symptom | null] | null {
  const found = errors.get(number)
  return found === undefined ? null : [found[0], found[1] === null ? null : symptoms[found[1]]]
}

export const espTls: Source = {
  name: 'ESP-IDF',
  phrases: [
    [/\b0x(80[0-3][0-9a-f])\b/i, (match) => espTlsError(Number.parseInt(match[1] ?? '', 16))?.[1] ?? null, 'client'],
    [/\b(ESP_ERR_(?:ESP_TLS|MBEDTLS|WOLFSSL)_[A-Z_]{3,60})\b/, named, 'client'],
    [/\bcouldn't get hostname for\b|\bgetaddrinfo\(\) returns\b/, 'name-not-found', 'client'],
    [/\bFailed to open new connection\b|\bError transport connect\b/, 'connect-failed', 'client'],
    [/\b(?:select\(\) timeout|Failed to connect to host \(errno 119\))/, 'port-silent', 'client'],
    [/\bNo server verification option set\b/, 'no-trusted-roots', 'client'],
    [/\bFailed to verify peer certificate\b/, 'peer-refused', 'client'],
    [
      /\bcert_verify_failed|\besp-x509-crt-bundle: (?:Failed to verify certificate|No matching trusted root certificate found)/,
      'peer-issuer-unknown',
      'client',
    ],
    [/\bPING_RESP not received|No PING_RESP\b/, 'no-keep-alive', 'client'],
  ],
}

function named(match: RegExpExecArray): Symptom | null {
  for (const [name, says] of errors.values()) if (name === match[1]) return says === null ? null : symptoms[says]
  return null
}

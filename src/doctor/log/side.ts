/** Whose log a line is from, by words that only one side has. */
import type { Side } from './symptom.ts'

const marks: readonly (readonly [side: Side, pattern: RegExp])[] = [
  [
    'server',
    /\b(?:tls_process_client_\w+|tls_(?:early_)?post_process_client_hello|tls_handle_alpn|tls12_check_peer_sigalg|tlsClientError|authorizationError|statem_srvr)\b/,
  ],
  ['server', /\bClient connection from |\bNew (?:client connected|connection) from |\bhttp: TLS handshake error from /],
  [
    'server',
    /\bmosquitto version [\d.]+ (?:starting|running)|\bSending (?:CONNACK|SUBACK|PUBACK) to |\bReceived \w+ from /,
  ],
  ['server', /\bemqx|\bverify depth is \d+, must return a certificate|\bError in handshake: /],
  [
    'client',
    /\b(?:tls_process_server_\w+|tls_post_process_server_certificate|statem_clnt|SSLCertVerificationError|ssl_cli\.c)\b/,
  ],
  [
    'client',
    /\bClient \S{1,100} sending CONNECT|\bSending CONNECT \(|\breceived CONNACK|\besp-tls|\bMQTT_CLIENT\b|\bTRANSPORT_BASE\b/,
  ],
  [
    'client',
    /^curl: \(|\bverification of server certificate|\bmosquitto_(?:pub|sub|rr)\b|\bMQTTnet\b|\bawscrt\b|\bnetwork Error : /,
  ],
]

/** @returns null where the words do not tell */
export function sideOf(line: string): Side | null {
  return marks.find(([, pattern]) => pattern.test(line))?.[0] ?? null
}

/** Node.js, MQTT.js and Aedes; what OpenSSL says through them stands in its own table. */
import type { Source } from '../sign.ts'
import { codeNamed } from './mqtt-codes.ts'

export const node: Source = {
  name: 'Node.js',
  phrases: [
    [/\bERR_TLS_CERT_ALTNAME_INVALID\b/, 'peer-name', 'client'],
    [
      /\b(?:Host: [\w.*:-]{1,253}\.? is not in the cert's altnames: [\w.*:, -]{1,200}|IP: [\w.:]{1,45} is not in the cert's list)/,
      'peer-name',
      'client',
    ],
    [/\bHostname\/IP does not match certificate's altnames\b/, 'peer-name', 'client'],
    [/\bsocket hang up\b/, 'closed-early'],
    [/\bClient network socket disconnected before secure TLS connection was established\b/, 'closed-early', 'client'],
    [/\bERR_TLS_HANDSHAKE_TIMEOUT\b|\bTLS handshake timeout\b/, 'handshake-late'],
    [/\bconnack timeout\b/i, 'no-connack', 'client'],
    [/\bkeepalive timeout\b/i, 'no-keep-alive'],
    [/\bConnection refused: ([A-Za-z][A-Za-z -]{3,60})/, (match) => codeNamed(match[1] ?? ''), 'client'],
    [/\bqos: 128\b|\bSubscribe error: (?:Unspecified error|Not authorized)\b/i, 'subscription-refused', 'client'],
  ],
}

/** Brokers on Erlang: EMQX, VerneMQ, RabbitMQ, and the ssl application below them. */
import type { Phrase, Source } from '../sign.ts'
import type { Side, Symptom } from '../symptom.ts'
import { type SymptomName, symptoms } from '../symptoms/index.ts'
import { alertNamed } from './alert-words.ts'
import { codeNamed } from './mqtt-codes.ts'

/** What an alert that this side generated says of the other. */
const generated: ReadonlyMap<string, SymptomName> = new Map([
  ['handshake failure', 'handshake-failed'],
  ['bad certificate', 'peer-refused'],
  ['unsupported certificate', 'peer-usage'],
  ['certificate revoked', 'peer-revoked'],
  ['certificate expired', 'peer-expired'],
  ['certificate required', 'peer-missing'],
  ['certificate unknown', 'peer-refused'],
  ['unknown ca', 'peer-issuer-unknown'],
  ['decrypt error', 'key-unproved'],
  ['protocol version', 'no-common-version'],
  ['insufficient security', 'no-common-cipher'],
  ['unexpected message', 'not-tls'],
  ['no application protocol', 'no-common-protocol'],
  ['unrecognized name', 'name-not-served'],
])

const alert = (side: Side, pattern: RegExp): Phrase => [pattern, madeHere, side]

export const emqx: Source = {
  name: 'Erlang (EMQX, VerneMQ, RabbitMQ)',
  phrases: [
    alert(
      'server',
      /\bTLS server: In state \w{1,40} (?:at \S{1,60} )?generated SERVER ALERT: Fatal - ([A-Za-z ]{3,30})/,
    ),
    alert(
      'client',
      /\bTLS client: In state \w{1,40} (?:at \S{1,60} )?generated CLIENT ALERT: Fatal - ([A-Za-z ]{3,30})/,
    ),
    [
      /\bTLS server: In state \w{1,40} (?:at \S{1,60} )?received CLIENT ALERT: Fatal - ([A-Za-z ]{3,30})/,
      came,
      'server',
    ],
    [
      /\bTLS client: In state \w{1,40} (?:at \S{1,60} )?received SERVER ALERT: Fatal - ([A-Za-z ]{3,30})/,
      came,
      'client',
    ],
    [/\breceived UNDEFINED ALERT: Fatal - Unexpected Message\b/, 'not-tls', 'server'],
    [/\bno_client_certificate_provided\b/, 'peer-missing', 'server'],
    [/\bhostname_check_failed\b/, 'peer-name', 'client'],
    [/\bselfsigned_peer\b/, 'peer-self-signed'],
    [/\bcert_expired\b/, 'peer-expired'],
    [/\bTLS ClientHello\b.{0,200}\bTLS-enabled client\b/, 'tls-on-plain-port', 'server'],
    [
      /\b(?:reason|reason_code): ?"?(not_authorized|bad_username_or_password|banned|client_identifier_not_valid|unsupported_protocol_version|server_busy|quota_exceeded)\b/,
      code,
      'server',
    ],
    [/\bkeepalive_timeout\b|\breason: keepalive\b/, 'no-keep-alive', 'server'],
    [/\breason: "?(?:takenover|takeovered|discarded)\b/, 'taken-over', 'server'],
    [/\bauthorization_permission_denied\b/, 'publish-refused', 'server'],
    [/\bSSL: certify: \S{1,60}:Fatal error: ([a-z ]{3,30})/, came, 'server'],
  ],
}

function words(match: RegExpExecArray): string {
  return (match[1] ?? '')
    .replace(/\\n.*$/, '')
    .trim()
    .toLowerCase()
}

function madeHere(match: RegExpExecArray): Symptom | null {
  const says = generated.get(words(match))
  return says === undefined ? null : symptoms[says]
}

function came(match: RegExpExecArray): Symptom | null {
  return alertNamed(words(match))
}

function code(match: RegExpExecArray): Symptom | null {
  const name = match[1] ?? ''
  return codeNamed(name === 'bad_username_or_password' ? 'bad user name or password' : name)
}

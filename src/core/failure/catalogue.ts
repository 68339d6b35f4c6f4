/**
 * The one list of failures. Everything that refuses, rejects or gives up names an entry of it: errors, attempts,
 * CONNACKs, HTTP problems, EST answers and exit statuses.
 *
 * `cause` says what happened and `cure` what to do next, a sentence each, for a tired person at a machine. Ids are
 * stable: an entry may be added or its text improved, its id is never given to something else.
 */
import type { FailureKind } from './wire-forms.ts'

/** How far a device had come. The first eight are stages of a connection, in order. */
export type Stage =
  | 'dns'
  | 'tcp'
  | 'tls'
  | 'certificate'
  | 'identity'
  | 'policy'
  | 'mqtt'
  | 'session'
  | 'enrolment'
  | 'api'
  | 'hub'

/** Who can mend it. */
export type Owner = 'device' | 'hub' | 'operator' | 'network' | 'attacker'

/**
 * How much a refused client is told. It depends on what the client proved: a stranger gets a general sentence, the
 * holder of a revoked or disabled credential that word alone, everyone else the cause in full.
 */
export type Disclosure = 'general' | 'revoked' | 'disabled' | 'cause'

export interface Failure {
  readonly id: `HF-${number}`
  readonly stage: Stage
  readonly owner: Owner
  readonly kind: FailureKind
  readonly told: Disclosure
  readonly cause: string
  readonly cure: string
}

function entry(
  id: Failure['id'],
  stage: Stage,
  owner: Owner,
  kind: FailureKind,
  told: Disclosure,
  cause: string,
  cure: string,
): Failure {
  return { id, stage, owner, kind, told, cause, cure }
}

const entries = {
  // 1xxx: before a certificate was seen
  'plain-mqtt-on-tls-port': entry('HF-1101', 'tls', 'device', 'malformed', 'general',
    'the client spoke MQTT without TLS on the TLS port',
    'use mqtts:// (with --cafile for Mosquitto clients) instead of mqtt:// on this port'),
  'http-on-tls-port': entry('HF-1102', 'tls', 'network', 'malformed', 'general',
    'the client spoke HTTP on the MQTT port; it is usually a browser or a health check',
    'point it at the HTTP address that `handfast up` prints'),
  'not-tls': entry('HF-1103', 'tls', 'network', 'malformed', 'general',
    'the first bytes were neither TLS nor MQTT',
    'check what connects from this address; port scanners and wrong protocols end here'),
  'tls-version-unsupported': entry('HF-1104', 'tls', 'device', 'version', 'general',
    'the client offers only TLS versions below 1.2',
    'update the TLS library of the device; TLS 1.2 and 1.3 are accepted'),
  'tls-no-shared-cipher': entry('HF-1105', 'tls', 'device', 'unavailable', 'general',
    'client and hub share no cipher suite, curve or signature type',
    'enable ECDHE-ECDSA suites with AES-GCM and the curve P-256 on the device'),
  'tls-client-rejected-hub': entry('HF-1106', 'tls', 'device', 'unauthenticated', 'general',
    'the client did not accept the certificate of the hub and sent an alert',
    "give the device this hub's ca.pem and connect by a name or address in the server certificate"),
  'tls-closed-early': entry('HF-1107', 'tls', 'network', 'unavailable', 'general',
    'the connection closed before the TLS handshake ended',
    'look at the client: many close silently when they reject the certificate of the hub; health checks and port scans look the same'),
  'tls-timeout': entry('HF-1108', 'tls', 'network', 'unavailable', 'general',
    'the TLS handshake did not end in time',
    'check packet loss and MTU on the way; a very slow device needs P-256 rather than RSA'),
  'tls-failed': entry('HF-1109', 'tls', 'device', 'malformed', 'general',
    'the TLS handshake failed',
    'compare the detail with the log of the client; key and certificate on the device may not match'),
  'too-many-handshakes': entry('HF-1110', 'tcp', 'network', 'too-many', 'general',
    'too many connections are waiting for their TLS handshake',
    'nothing to do if it passes: clients come in as others finish; else look for a flood from one address'),

  // 2xxx: the certificate
  'certificate-missing': entry('HF-2101', 'certificate', 'device', 'unauthenticated', 'general',
    'the client sent no certificate',
    'configure certificate and key on the device (--cert and --key for Mosquitto clients)'),
  'certificate-unreadable': entry('HF-2102', 'certificate', 'device', 'malformed', 'general',
    'the certificate of the client is not valid DER',
    'enrol the device again; this file was damaged or made by a faulty tool'),
  'certificate-self-signed': entry('HF-2103', 'certificate', 'device', 'unauthenticated', 'general',
    'the client certificate is self-signed: no authority stands behind it',
    'enrol the device with this hub: `handfast device add`, then `handfast enrol`'),
  'certificate-foreign-authority': entry('HF-2104', 'certificate', 'device', 'unauthenticated', 'general',
    'the client certificate was issued by an authority that this hub does not know',
    'enrol the device with this hub, or check that it uses the right certificate file'),
  'certificate-unknown-serial': entry('HF-2105', 'certificate', 'attacker', 'unauthenticated', 'general',
    'the certificate names our authority as its issuer, but the registry does not hold it',
    'treat it as forged or as issued before a restored backup: find out who holds it, then enrol the device again'),
  'certificate-expired': entry('HF-2106', 'certificate', 'device', 'unauthenticated', 'cause',
    'the certificate of the device has expired',
    'enrol the device again with a new token: `handfast device token <id>`'),
  'certificate-not-yet-valid': entry('HF-2107', 'certificate', 'hub', 'unavailable', 'cause',
    'the certificate of the device is not valid yet; the clock of the hub is behind',
    'set the clock of the hub (NTP); the device needs no change'),
  'certificate-revoked': entry('HF-2108', 'certificate', 'operator', 'unauthenticated', 'revoked',
    'the certificate was revoked',
    'if the device may come back: `handfast device enable <id>`, then enrol it again with a new token'),
  'certificate-superseded': entry('HF-2109', 'certificate', 'device', 'unauthenticated', 'cause',
    'the certificate was replaced by a newer one and its overlap has ended',
    'use the newest certificate on the device, or enrol it again'),
  'certificate-wrong-usage': entry('HF-2110', 'certificate', 'device', 'forbidden', 'cause',
    'the certificate is not for clients',
    'use the device certificate, not a server certificate, on this connection'),
  'certificate-never-completed': entry('HF-2111', 'certificate', 'hub', 'unavailable', 'cause',
    'the certificate was planned but its issuance was never completed',
    'enrol the device again; the hub may have been stopped while it signed'),

  // 3xxx: the identity
  'identity-disabled': entry('HF-3101', 'identity', 'operator', 'forbidden', 'disabled',
    'the identity is disabled',
    'if it may come back: `handfast device enable <id>`'),
  'identity-retired': entry('HF-3102', 'identity', 'operator', 'forbidden', 'disabled',
    'the identity is retired, which is final',
    'register the device under a new id; ids are never used again'),
  'identity-pending': entry('HF-3103', 'identity', 'operator', 'forbidden', 'cause',
    'the identity waits for approval',
    'approve it: `handfast device enable <id>`'),
  'identity-not-found': entry('HF-3104', 'identity', 'operator', 'not-found', 'general',
    'there is no identity with this id',
    'see `handfast device list` for the ids that exist'),
  'identity-exists': entry('HF-3105', 'identity', 'operator', 'conflict', 'general',
    'an identity with this id exists already',
    'choose another id, or give the existing device a new token: `handfast device token <id>`'),
  'identity-id-invalid': entry('HF-3106', 'identity', 'operator', 'invalid', 'general',
    'the id is not well formed',
    'use 1 to 64 characters of A-Z a-z 0-9 . _ - that start with a letter or digit'),
  'transition-illegal': entry('HF-3107', 'identity', 'operator', 'conflict', 'general',
    'the present state does not allow this change',
    'see the present state with `handfast device show <id>`'),

  // 4xxx: policy
  'publish-denied': entry('HF-4101', 'policy', 'device', 'forbidden', 'cause',
    'the identity may not publish to this topic',
    'publish below devices/<id>/ with the id of the certificate'),
  'subscribe-denied': entry('HF-4102', 'policy', 'device', 'forbidden', 'cause',
    'the identity may not subscribe to this filter',
    'subscribe below devices/<id>/ with the id of the certificate'),
  'will-denied': entry('HF-4103', 'policy', 'device', 'forbidden', 'cause',
    'the identity may not publish to the topic of its will',
    'set a will topic below devices/<id>/ with the id of the certificate'),

  // 5xxx: MQTT
  'connect-malformed': entry('HF-5101', 'mqtt', 'device', 'malformed', 'cause',
    'the first packet is not a well-formed MQTT CONNECT',
    'check that the client speaks MQTT 3.1.1 or 5 on this connection'),
  'connect-timeout': entry('HF-5102', 'mqtt', 'device', 'unavailable', 'cause',
    'TLS succeeded but no CONNECT came in time',
    'check that the client speaks MQTT (not WebSocket or HTTP) after the TLS handshake'),
  'connect-too-large': entry('HF-5103', 'mqtt', 'device', 'too-large', 'cause',
    'the CONNECT packet is larger than the hub accepts',
    'shorten client id, will message and user properties'),
  'protocol-version-unsupported': entry('HF-5104', 'mqtt', 'device', 'version', 'cause',
    'the client speaks an MQTT version that the hub does not',
    'use MQTT 3.1.1 (level 4) or MQTT 5'),
  'client-id-invalid': entry('HF-5105', 'mqtt', 'device', 'identifier', 'cause',
    'the client id cannot be accepted',
    'use a client id without control characters of at most 256 bytes; an empty one needs a clean session'),
  'packet-malformed': entry('HF-5106', 'mqtt', 'device', 'malformed', 'cause',
    'the client sent a malformed packet',
    'update the MQTT library of the device'),
  'protocol-error': entry('HF-5107', 'mqtt', 'device', 'invalid', 'cause',
    'the client sent a packet that MQTT does not allow at this point',
    'update the MQTT library of the device'),
  'packet-too-large': entry('HF-5108', 'mqtt', 'device', 'too-large', 'cause',
    'the packet is larger than the hub accepts',
    'send smaller messages; the limit is in docs/limits.md'),
  'auth-method-unsupported': entry('HF-5109', 'mqtt', 'device', 'forbidden', 'cause',
    'enhanced authentication (AUTH) is not offered here; the certificate is the authentication',
    'remove the authentication method from the CONNECT properties'),
  'too-many-subscriptions': entry('HF-5110', 'mqtt', 'device', 'too-many', 'cause',
    'the session holds as many subscriptions as it may',
    'subscribe to fewer, wider filters'),

  // 6xxx: the session
  'upstream-unavailable': entry('HF-6101', 'session', 'hub', 'unavailable', 'cause',
    'the broker behind the gate is not available',
    'wait: devices come back by themselves; if it lasts, see the log of the hub'),
  'upstream-refused': entry('HF-6102', 'session', 'hub', 'unavailable', 'cause',
    'the broker behind the gate refused the session',
    'see the log of the hub for what the broker answered'),
  'keep-alive-timeout': entry('HF-6103', 'session', 'network', 'unavailable', 'cause',
    'the client was silent for longer than its keep-alive allows',
    'lower the keep-alive below the idle time of NAT and load balancers on the way'),
  'session-taken-over': entry('HF-6104', 'session', 'device', 'conflict', 'cause',
    'another connection of the same identity used the same client id',
    'give each client of one identity a client id of its own; a cloned device image shows as this, over and over'),
  'slow-reader': entry('HF-6105', 'session', 'device', 'unavailable', 'cause',
    'the client does not read what it subscribed to and its buffer is full',
    'read faster, or subscribe to less'),
  'hub-stopping': entry('HF-6106', 'session', 'hub', 'unavailable', 'cause',
    'the hub is shutting down',
    'wait: the device reconnects by itself'),
  'connection-lost': entry('HF-6107', 'session', 'network', 'unavailable', 'cause',
    'the connection was lost without a DISCONNECT',
    'check the network of the device'),
  'too-many-sessions': entry('HF-6108', 'session', 'operator', 'too-many', 'cause',
    'the gate or the identity holds as many sessions as it may',
    'raise the limit (docs/limits.md) or find the client that keeps reconnecting'),
  'closed-before-connect': entry('HF-6109', 'mqtt', 'network', 'unavailable', 'general',
    'the client closed the connection after the TLS handshake, before CONNECT',
    'look at the client: under TLS 1.3 many reject the certificate of the hub only then'),

  // 7xxx: enrolment
  'token-missing': entry('HF-7101', 'enrolment', 'device', 'unauthenticated', 'general',
    'the request carries no enrolment token',
    'send the token as the HTTP Basic password, as `handfast enrol` does'),
  'token-invalid': entry('HF-7102', 'enrolment', 'device', 'unauthenticated', 'general',
    'the enrolment token is not valid',
    'make a new one: `handfast device token <id>`'),
  'token-used': entry('HF-7103', 'enrolment', 'device', 'unauthenticated', 'cause',
    'the enrolment token was used already, with another key',
    'if that was not you, revoke the device; else make a new token: `handfast device token <id>`'),
  'token-expired': entry('HF-7104', 'enrolment', 'operator', 'unauthenticated', 'cause',
    'the enrolment token has expired',
    'make a new one: `handfast device token <id>`'),
  'token-revoked': entry('HF-7105', 'enrolment', 'operator', 'unauthenticated', 'cause',
    'the enrolment token was revoked',
    'make a new one if the device may enrol: `handfast device token <id>`'),
  'csr-unreadable': entry('HF-7106', 'enrolment', 'device', 'malformed', 'cause',
    'the certificate request is not a well-formed PKCS#10',
    'send base64 of the DER form, as `openssl req -outform DER | base64` makes it'),
  'csr-signature-invalid': entry('HF-7107', 'enrolment', 'device', 'invalid', 'cause',
    'the signature on the certificate request does not verify',
    'make the request again with the key that it carries'),
  'csr-key-unacceptable': entry('HF-7108', 'enrolment', 'device', 'invalid', 'cause',
    'the key in the certificate request is of a type or strength that the profile does not allow',
    'use an ECDSA key on P-256 or P-384, or RSA of 2048 to 4096 bits'),
  'csr-asks-too-much': entry('HF-7109', 'enrolment', 'device', 'forbidden', 'cause',
    'the certificate request asks for something that is not its to decide',
    'leave the subject empty or CN=<id>, and ask for no extensions'),
  'enrolment-bootstrap-invalid': entry('HF-7110', 'enrolment', 'device', 'invalid', 'general',
    'the bootstrap string cannot be read',
    'copy the whole string that `handfast device add` printed, in quotes'),
  'enrolment-root-mismatch': entry('HF-7111', 'enrolment', 'attacker', 'unauthenticated', 'general',
    'the root certificate that this hub shows is not the one in the bootstrap string',
    'check the address: this is another hub, or somebody stands in between; the token was not sent'),
  'enrolment-tls-untrusted': entry('HF-7112', 'enrolment', 'attacker', 'unauthenticated', 'general',
    'the hub did not prove its name under the root in the bootstrap string',
    'check the address and the --public-name of the hub; the token was not sent'),
  'hub-unreachable': entry('HF-7113', 'enrolment', 'network', 'unavailable', 'general',
    'the hub cannot be reached',
    'check that the hub runs and that address and port are right'),
  'hub-answer-unexpected': entry('HF-7114', 'enrolment', 'hub', 'unavailable', 'general',
    'the answer of the hub could not be used',
    'try again: the same command goes on where it stopped; if it lasts, see the log of the hub'),
  'store-unwritable': entry('HF-7115', 'enrolment', 'device', 'local', 'general',
    'the credential folder cannot be used',
    'check its owner, mode and free space'),
  'rate-limited': entry('HF-7116', 'enrolment', 'network', 'too-many', 'general',
    'too many failed tries came from this address',
    'wait a minute, then try again with the right token'),

  // 8xxx: operators and the API
  'usage': entry('HF-8101', 'api', 'operator', 'invalid', 'general',
    'the command line cannot be understood',
    'see `handfast help`'),
  'config-invalid': entry('HF-8102', 'hub', 'operator', 'invalid', 'general',
    'the configuration is not valid',
    'correct the named setting'),
  'request-invalid': entry('HF-8103', 'api', 'operator', 'invalid', 'general',
    'the request is not valid',
    'correct the named field'),
  'key-missing': entry('HF-8104', 'api', 'operator', 'unauthenticated', 'general',
    'the request carries no API key',
    'send it as "Authorization: Bearer <key>"; the first one is in the data directory, admin.key'),
  'key-invalid': entry('HF-8105', 'api', 'operator', 'unauthenticated', 'general',
    'the API key is not valid',
    'take the key from admin.key in the data directory of this hub'),
  'not-found': entry('HF-8106', 'api', 'operator', 'not-found', 'general',
    'there is nothing at this address',
    'check the path; the API starts at /api/v1'),
  'credential-not-found': entry('HF-8107', 'api', 'operator', 'not-found', 'general',
    'the registry holds no certificate with this serial number',
    'see the serial numbers with `handfast device show <id>`'),
  'hub-not-found': entry('HF-8108', 'api', 'operator', 'unavailable', 'general',
    'no hub runs on this data directory',
    'start it with `handfast up`, or name another with --data or HANDFAST_URL'),
  'request-too-large': entry('HF-8109', 'api', 'operator', 'too-large', 'general',
    'the request is larger than the hub accepts',
    'send less in one request; the limits are in docs/limits.md'),

  // 9xxx: the hub itself
  'port-taken': entry('HF-9101', 'hub', 'operator', 'unavailable', 'general',
    'a port is taken by another process',
    'stop that process or choose another port (0 picks a free one)'),
  'address-unavailable': entry('HF-9102', 'hub', 'operator', 'local', 'general',
    'the address to listen on cannot be used',
    'choose an address of this machine with --host, and a port that this user may open'),
  'data-directory-unusable': entry('HF-9103', 'hub', 'operator', 'local', 'general',
    'the data directory cannot be used',
    'check its owner and mode (0700), or name another with --data'),
  'data-directory-locked': entry('HF-9104', 'hub', 'operator', 'conflict', 'general',
    'another hub runs on this data directory',
    'stop the other one, or give this one a data directory of its own with --data'),
  'clock-before-authority': entry('HF-9105', 'hub', 'operator', 'local', 'general',
    'the clock of this machine is before the birth of the authority',
    'set the clock (NTP) and start again'),
  'key-passphrase-wrong': entry('HF-9106', 'hub', 'operator', 'local', 'general',
    'the passphrase does not open the authority keys',
    'give the passphrase that was used at the first start (--passphrase-file or HANDFAST_PASSPHRASE)'),
  'key-file-damaged': entry('HF-9107', 'hub', 'operator', 'local', 'general',
    'a key file of the authority is missing or damaged',
    'restore the keys folder of the data directory from a backup'),
  'database-unusable': entry('HF-9108', 'hub', 'operator', 'local', 'general',
    'the database cannot be opened',
    'check free space and file modes; the file may belong to a newer version of Handfast'),
  'store-unavailable': entry('HF-9109', 'hub', 'hub', 'unavailable', 'general',
    'the registry cannot be read or written now',
    'wait and try again; if it lasts, check free space and see the log of the hub'),
  'internal': entry('HF-9110', 'hub', 'hub', 'internal', 'general',
    'something went wrong inside the hub',
    'see the log of the hub and report it with the log lines around this time'),
  'authority-expired': entry('HF-9111', 'hub', 'operator', 'unavailable', 'general',
    'the issuing authority has expired or ends before a useful certificate would',
    'set the clock if it is wrong; else the authority must be renewed'),
  'node-too-old': entry('HF-9112', 'hub', 'operator', 'local', 'general',
    'this Node.js is too old',
    'run it through npm or npx, which bring Node 24, or install Node 24'),
} as const satisfies Record<string, Failure>

/** The stable name of a failure, as errors and attempts carry it. */
export type FailureName = keyof typeof entries

/** Every failure by name. */
export const failures: Readonly<Record<FailureName, Failure>> = entries

/** All names, in the order of the catalogue. */
export const failureNames: readonly FailureName[] = Object.keys(entries) as FailureName[]

/** The entry of one failure. */
export function failure(name: FailureName): Failure {
  return failures[name]
}

/** True when a string from outside names a failure. */
export function isFailureName(value: string): value is FailureName {
  return Object.hasOwn(failures, value)
}

/**
 * What a refused client may be told, as one sentence: it goes into a Reason String (MQTT 5 §3.2.2.3.9) or an EST body.
 *
 * @param detail the specific sentence for the operator; used only where the client has proved enough to read it
 */
export function toldToClient(name: FailureName, detail?: string): string {
  const { id, told, cause } = failure(name)
  switch (told) {
    case 'general':
      return 'not accepted by this hub; its operator can see why'
    case 'revoked':
      return 'revoked'
    case 'disabled':
      return 'disabled'
    case 'cause':
      return `${id} ${detail ?? cause}`
  }
}

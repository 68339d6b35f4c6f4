/** What a broker answers: CONNACK return codes of MQTT 3.1.1, reason codes of MQTT 5, and how sessions end. */
import { bare, certain, either, likely, possible, type Symptom } from '../symptom.ts'

const brokerLog = 'the log of the broker at the same second says which; at a Handfast hub: `handfast attempts --failed`'

const notAuthorised = [
  possible('connect-denied', brokerLog),
  possible('identity-disabled'),
  possible('identity-not-found'),
  possible('certificate-revoked'),
  possible('certificate-expired'),
  possible('certificate-missing'),
  possible('certificate-foreign-authority'),
  possible('certificate-self-signed'),
  possible('certificate-unknown-serial'),
  possible('certificate-wrong-usage'),
  possible('certificate-superseded'),
  possible('broker-refused-unexplained', brokerLog),
]
const login = [
  likely('password-wrong'),
  possible('password-missing'),
  possible(
    'certificate-name-missing',
    'Mosquitto says this where it takes the user name from a certificate without one',
  ),
  possible('certificate-missing', 'Mosquitto with use_identity_as_username and without require_certificate'),
]
const clientId = [likely('client-id-invalid'), possible('client-id-not-identity'), possible('client-id-denied')]
const unavailable = [likely('broker-unavailable'), possible('upstream-unavailable')]

/** CONNACK return codes (MQTT 3.1.1 §3.2.2.3). */
export const returnCodes: ReadonlyMap<number, Symptom> = new Map([
  [1, either('the broker does not speak this version of MQTT', certain('protocol-version-unsupported'))],
  [2, either('the broker does not accept the client id', ...clientId)],
  [3, either('the broker is not available', ...unavailable)],
  [4, either('the broker does not accept user name or password', ...login)],
  [5, either('the broker does not let this client in', ...notAuthorised)],
])

const unexplained = likely('broker-refused-unexplained')

/** Reason codes that a broker sends (MQTT 5 §2.4). */
export const reasonCodes: ReadonlyMap<number, Symptom> = new Map([
  [0x80, either('the broker does not want to say why', unexplained, possible('subscribe-denied', 'in a SUBACK'))],
  [0x81, either('a packet was malformed', possible('connect-malformed'), possible('packet-malformed'))],
  [0x82, either('a packet came that MQTT does not allow there', likely('protocol-error'))],
  [0x83, either('the broker does not accept what it could read', unexplained)],
  [0x84, either('the broker does not speak this version of MQTT', certain('protocol-version-unsupported'))],
  [0x85, either('the broker does not accept the client id', ...clientId)],
  [0x86, either('the broker does not accept user name or password', ...login)],
  [
    0x87,
    either('the broker does not allow it', ...notAuthorised, possible('subscribe-denied'), possible('publish-denied')),
  ],
  [0x88, either('the broker is not available', ...unavailable)],
  [0x89, either('the broker is busy', ...unavailable)],
  [0x8a, either('the broker has banned the client', certain('client-banned'))],
  [0x8b, either('the broker is shutting down', likely('hub-stopping'))],
  [0x8c, either('the broker does not know the method of authentication', certain('auth-method-unsupported'))],
  [0x8d, either('the client was silent for too long', certain('keep-alive-timeout'))],
  [0x8e, either('another connection uses the same client id', certain('session-taken-over'))],
  [
    0x8f,
    either('the broker does not accept the topic filter', likely('subscribe-denied'), possible('topic-unsupported')),
  ],
  [0x90, either('the broker does not accept the topic', likely('topic-unsupported'), possible('publish-denied'))],
  [0x93, either('the client sent more than the broker has allowed at one time', likely('protocol-error'))],
  [0x94, either('the client used a topic alias that is not allowed', likely('protocol-error'))],
  [0x95, either('a packet was too large for the broker', likely('packet-too-large'), possible('connect-too-large'))],
  [0x96, either('the client sends too often', likely('publishes-too-many'))],
  [
    0x97,
    either(
      'a quota of the broker is used up',
      possible('too-many-sessions'),
      possible('publishes-too-many'),
      possible('too-many-subscriptions'),
    ),
  ],
  [
    0x98,
    either(
      'the operator of the broker has ended the session',
      likely('broker-ended-session'),
      possible('certificate-revoked'),
      possible('identity-disabled'),
    ),
  ],
  [0x99, either('the payload is not what its properties say', likely('protocol-error'))],
  [0x9a, either('the broker keeps no retained messages', likely('retain-denied'))],
  [0x9b, either('the broker does not take this quality of service', likely('protocol-error'))],
  [0x9c, either('the client is to use another server', certain('broker-elsewhere'))],
  [0x9d, either('the server has moved', certain('broker-elsewhere'))],
  [0x9e, either('the broker knows no shared subscriptions', likely('subscribe-denied'))],
  [0x9f, either('the client connects too often', likely('address-failing'))],
  [0xa1, either('the broker knows no subscription identifiers', likely('subscribe-denied'))],
  [0xa2, either('the broker knows no wildcards', likely('subscribe-denied'))],
])

export const mqttSymptoms = {
  'subscription-refused': either('the broker refused the subscription', certain('subscribe-denied')),
  'publish-refused': either('the broker does not allow to publish there', likely('publish-denied')),
  'no-connack': either(
    'no answer to CONNECT came in time',
    likely('broker-silent', 'a proxy may hold the connection, or what answers is no broker'),
  ),
  'no-connect': either('no CONNECT came in time', certain('connect-timeout')),
  'no-keep-alive': either('the client was silent for too long', certain('keep-alive-timeout')),
  'taken-over': either('another connection uses the same client id', certain('session-taken-over')),
  'ended-by-operator': either('the operator of the broker has ended the session', certain('broker-ended-session')),
  'not-authorised': either('the broker does not let this client in', ...notAuthorised, ...login),
  'protocol-error': bare(
    either(
      'the protocol was not kept, which some programs say of every failure in TLS',
      possible('protocol-error'),
      possible('broker-refused-unexplained'),
      possible('port-speaks-plain-mqtt', 'Mosquitto says this of a device that speaks TLS on a listener without'),
      possible('tls-closed-early', 'Mosquitto says this of a client whose handshake failed: see the lines before'),
    ),
  ),
  'protocol-error-first': bare(
    either(
      'what came first from the client is no CONNECT',
      possible('port-speaks-plain-mqtt', 'Mosquitto says this of a device that speaks TLS on a listener without'),
      possible('protocol-error'),
      possible('broker-refused-unexplained'),
      possible('tls-closed-early', 'Mosquitto says this of a client whose handshake failed: see the lines before'),
    ),
  ),
  'hung-up': bare(
    either(
      'the broker closed the connection without a word',
      possible('broker-refused-unexplained', 'AWS IoT does this for whatever its policy does not allow'),
      possible('connect-denied', 'client id, topic or certificate are not allowed by the policy'),
      possible('session-taken-over', 'where it comes again and again: two clients with one client id'),
      possible('publish-denied', 'where it follows a message'),
      possible('subscribe-denied', 'where it follows a subscription'),
      possible('packet-too-large'),
    ),
  ),
  'client-id-shared': either('the client id is in use', likely('session-taken-over')),
}

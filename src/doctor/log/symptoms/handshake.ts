/** What goes wrong in a handshake before certificates are judged, and connections that end without a word. */
import { bare, certain, either, likely, possible, seen, vague } from '../symptom.ts'

const afterwards = 'a server on TLS 1.3 refuses a certificate only after the handshake: its log has the reason'

/** What a client meets as a closed connection. */
const closedOnClient = [
  possible('broker-refused-unexplained', afterwards),
  possible('port-speaks-plain-mqtt', 'where it happens before the handshake has ended'),
  possible('certificate-missing'),
  possible('certificate-expired'),
  possible('certificate-not-yet-valid'),
  possible('certificate-foreign-authority'),
  possible('certificate-intermediate-missing'),
  possible('certificate-revoked'),
  possible('certificate-self-signed'),
  possible('certificate-wrong-usage'),
  possible('session-taken-over', 'where it comes again and again: two clients with one client id'),
]

/** The same on the other side. */
const closedOnServer = [
  likely('tls-closed-early', 'the log of the client has the reason'),
  possible('hub-untrusted', 'many clients close without an alert when they do not trust the server'),
  possible('hub-name-mismatch', 'Node and Mosquitto clients look at the name after the handshake'),
  possible('key-certificate-mismatch', 'a client whose key does not load leaves like this'),
]

export const handshakeSymptoms = {
  'no-common-cipher': either('both sides have no cipher suite in common', likely('tls-no-shared-cipher')),
  'no-common-group': either('both sides have no curve or group in common', likely('tls-no-shared-group')),
  'no-common-signature': either('both sides have no kind of signature in common', likely('tls-no-shared-signature')),
  'curve-unfit': seen(
    'a key is on a curve that is not taken',
    [likely('client-curve-unsupported')],
    [likely('client-curve-unsupported')],
  ),
  'no-common-version': either('the versions of TLS on both sides do not meet', likely('tls-version-unsupported')),
  'no-common-protocol': either(
    'both sides have no application protocol (ALPN) in common',
    certain('tls-no-application-protocol'),
  ),
  'name-not-served': either('no such name is served', likely('tls-name-unrecognised')),
  'not-tls': seen(
    'what came is not TLS',
    [
      possible('port-speaks-plain-mqtt', 'the port of MQTT without TLS is mostly 1883, with TLS 8883'),
      possible('port-speaks-http', 'a proxy or a web server answers on this port'),
      possible('port-speaks-other'),
    ],
    [likely('plain-mqtt-on-tls-port'), possible('not-tls'), possible('http-on-tls-port')],
  ),
  http: seen('HTTP came instead of TLS', [certain('port-speaks-http')], [certain('http-on-tls-port')]),
  'tls-on-plain-port': either('a client speaks TLS on a listener without TLS', certain('port-speaks-plain-mqtt')),
  'key-unproved': seen(
    'a signature in the handshake does not verify',
    [possible('tls-record-damaged')],
    [likely('client-key-unproved', 'the device signs with another key than that of its certificate')],
  ),
  'closed-early': bare(seen('the connection was closed', closedOnClient, closedOnServer)),
  'connection-reset': bare(
    seen(
      'the connection was cut off',
      [
        possible('connection-reset', 'a firewall, a proxy or a listener that is overloaded does this'),
        ...closedOnClient,
      ],
      closedOnServer,
    ),
  ),
  'handshake-failed': bare(
    seen(
      'the handshake came to nothing, and it is not said why',
      [
        ...closedOnClient.filter(({ code }) => code !== 'session-taken-over'),
        possible('hub-untrusted', 'the program may hide that it did not accept the certificate of the server'),
        possible('hub-name-mismatch'),
        possible('hub-certificate-expired'),
        possible('hub-certificate-not-yet-valid'),
        possible('hub-certificate-wrong-usage'),
        possible('hub-intermediate-missing'),
        possible('tls-no-shared-cipher'),
        possible('tls-version-unsupported'),
        possible('tls-no-application-protocol'),
        possible('key-certificate-mismatch'),
      ],
      [...closedOnServer, possible('certificate-missing'), possible('certificate-foreign-authority')],
    ),
  ),
  'alert-received': vague(
    seen(
      'the other side ended the connection with an alert, whose number is not in this line',
      [
        possible('certificate-missing', 'alert 116, or 40 under TLS 1.2'),
        possible('certificate-expired', 'alert 45'),
        possible('certificate-foreign-authority', 'alert 48'),
        possible('certificate-intermediate-missing', 'alert 48'),
        possible('certificate-self-signed', 'alert 48'),
        possible('certificate-revoked', 'alert 44'),
        possible('certificate-wrong-usage', 'alert 43'),
        possible('certificate-not-yet-valid', 'alert 42'),
        possible('certificate-key-weak', 'alert 42 or 40'),
        possible('certificate-hash-weak', 'alert 42'),
        possible('tls-version-unsupported', 'alert 70'),
        possible('tls-no-shared-cipher', 'alert 40 or 47'),
        possible('key-certificate-mismatch', 'alert 51'),
        possible('tls-no-application-protocol', 'alert 120'),
        possible('broker-crl-ended', 'alert 45, where every device is refused at once'),
        possible('broker-crl-missing', 'alert 48, where every device of one authority is refused at once'),
        possible('broker-crl-not-yet-valid', 'alert 42, where every device is refused at once'),
      ],
      [
        possible('hub-untrusted', 'alert 48'),
        possible('hub-certificate-expired', 'alert 45'),
        possible('hub-certificate-not-yet-valid', 'alert 42'),
        possible('hub-name-mismatch', 'alert 42'),
        possible('hub-intermediate-missing', 'alert 48'),
      ],
    ),
  ),
  'handshake-late': either('the handshake did not end in time', likely('tls-timeout')),
  'record-damaged': either('a record does not fit its checksum or its form', likely('tls-record-damaged')),
  'record-unfit': either(
    'a record came that is none of TLS, or larger than the buffer',
    possible('port-speaks-plain-mqtt', 'where it is the first that came'),
    possible('port-speaks-http', 'where it is the first that came'),
    possible('tls-record-too-large', 'where the handshake had begun'),
    possible('tls-record-damaged'),
  ),
  'no-common-cipher-or-version': either(
    'both sides have no cipher suite in common, or no version of TLS',
    possible('tls-version-unsupported'),
    possible('tls-no-shared-cipher'),
  ),
  'refused-somehow': bare(either('the broker refused the connection', possible('broker-refused-unexplained'))),
  'record-large': either('a record or a certificate is too large for a buffer', likely('tls-record-too-large')),
  'ticket-unexpected': seen('a session ticket came that it does not expect', [certain('tls-ticket-unexpected')], []),
  'memory-short': either('there is not enough memory', likely('device-memory-short')),
}

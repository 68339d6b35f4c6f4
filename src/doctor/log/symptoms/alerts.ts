/** Alerts of TLS that one side received: what the other side said before it closed. Most servers choose few of them with care. */
import type { TlsAlert } from '../../../core/failure/tls-alerts.ts'
import { likely, possible, type Symptom, seen } from '../symptom.ts'

const serverLog = 'the log of the server says which'

/** Causes by the number of the alert; what is not listed is told by its name alone. */
export const alertSymptoms: Readonly<Partial<Record<TlsAlert, Symptom>>> = {
  20: seen(
    'the other side could not verify a record',
    [possible('tls-record-damaged')],
    [possible('tls-record-damaged')],
  ),
  22: seen(
    'a record was too large for the other side',
    [likely('tls-record-too-large')],
    [likely('tls-record-too-large')],
  ),
  40: seen(
    'the other side found no way to go on with the handshake',
    [
      possible('tls-no-shared-cipher', 'compare the suites and curves of both sides'),
      possible('tls-no-shared-group', 'no curve in common'),
      possible('tls-no-shared-signature', 'no kind of signature in common'),
      possible('tls-client-needs-rsa', 'a device that knows RSA alone, at a server with ECDSA'),
      possible('certificate-missing', 'under TLS 1.2 a client without certificate is told this'),
      possible('tls-version-unsupported', 'GnuTLS says this where no version fits'),
      possible('certificate-key-weak'),
    ],
    [possible('tls-no-shared-cipher'), possible('hub-certificate-weak')],
  ),
  41: seen('the other side has no certificate', [], [likely('certificate-missing')]),
  42: seen(
    'the other side does not accept the certificate, for a reason that it does not tell',
    [
      possible('certificate-not-yet-valid', 'OpenSSL says this where the certificate begins in the future'),
      possible('certificate-foreign-authority', 'Go and Java say this of an unknown authority as well'),
      possible('certificate-intermediate-missing', 'the same servers'),
      possible('certificate-self-signed', 'the same servers'),
      possible('certificate-expired', 'GnuTLS says this of nearly everything'),
      possible('certificate-wrong-usage', 'the same servers'),
      possible('certificate-missing', 'Go says this where the client shows none'),
      possible('certificate-key-weak', serverLog),
      possible('certificate-hash-weak', serverLog),
      possible('broker-crl-not-yet-valid', 'where every device is refused at once'),
    ],
    [
      possible('hub-name-mismatch', 'the device dials by another name or address'),
      possible('hub-certificate-not-yet-valid', 'the clock of the device is behind'),
      possible('hub-untrusted', 'many programs say this of an unknown authority'),
      possible('hub-intermediate-missing', 'the same programs'),
      possible('hub-certificate-expired'),
      possible('hub-certificate-weak'),
      possible('hub-certificate-wrong-usage'),
    ],
  ),
  43: seen(
    'the other side has no use for this kind of certificate',
    [
      likely('certificate-wrong-usage', 'extended key usage without clientAuth, or key usage without digitalSignature'),
      possible('certificate-key-weak'),
    ],
    [likely('hub-certificate-wrong-usage')],
  ),
  44: seen(
    'the other side holds the certificate for revoked',
    [likely('certificate-revoked')],
    [likely('hub-certificate-revoked')],
  ),
  45: seen(
    'the other side holds the certificate for expired',
    [
      likely('certificate-expired'),
      possible('certificate-not-yet-valid', 'Go says this also of a certificate that begins in the future'),
      possible('broker-crl-ended', 'where every device is refused at once and their certificates are in date'),
    ],
    [
      likely('hub-certificate-expired', 'the certificate of the server has ended, or the clock of the device is ahead'),
      possible('hub-certificate-not-yet-valid', 'Go says this also of a certificate that begins in the future'),
    ],
  ),
  46: seen(
    'the other side does not accept the certificate, for a reason that has no alert',
    [
      possible('certificate-foreign-authority', serverLog),
      possible('certificate-intermediate-missing', serverLog),
      possible('certificate-self-signed', serverLog),
      possible('certificate-wrong-usage', serverLog),
      possible('certificate-expired', serverLog),
      possible('certificate-not-yet-valid', serverLog),
      possible('certificate-revoked', serverLog),
    ],
    [
      possible('hub-untrusted', 'Java, Android and iOS say this of whatever they do not trust'),
      possible('hub-name-mismatch'),
      possible('hub-certificate-expired'),
      possible('hub-certificate-not-yet-valid'),
      possible('hub-intermediate-missing'),
      possible('hub-certificate-wrong-usage'),
      possible('hub-certificate-weak', 'Apple accepts certificates of at most 398 or 825 days'),
    ],
  ),
  47: seen(
    'the other side holds something in the handshake for illegal',
    [
      possible('client-curve-unsupported', 'a key on secp256k1 or brainpool is answered so under TLS 1.2'),
      possible('tls-no-shared-cipher'),
    ],
    [possible('tls-no-shared-cipher')],
  ),
  48: seen(
    'the other side knows no authority that signed the certificate',
    [
      likely('certificate-foreign-authority'),
      possible('certificate-intermediate-missing', 'the device sends its certificate without that of its issuer'),
      possible('certificate-self-signed'),
      possible('broker-crl-missing', 'where every device of one authority is refused at once'),
    ],
    [
      likely('hub-untrusted', 'the device lacks the root of this server'),
      possible('hub-intermediate-missing', 'the server sends its certificate without that of its issuer'),
    ],
  ),
  49: seen(
    'the other side does not let it in, although it could read the certificate',
    [
      possible('broker-refused-unexplained', 'the log of the server says why'),
      possible('certificate-expired', 'gnutls-serv says this of every certificate that it refuses'),
      possible('certificate-not-yet-valid', 'the same server'),
      possible('certificate-foreign-authority', 'the same server'),
      possible('certificate-intermediate-missing', 'the same server'),
      possible('certificate-self-signed', 'the same server'),
      possible('certificate-wrong-usage', 'the same server'),
      possible('certificate-revoked', 'the same server'),
    ],
    [possible('hub-untrusted')],
  ),
  50: seen(
    'the other side could not read a message',
    [
      possible('certificate-missing', 'GnuTLS says this under TLS 1.2 where it wants a certificate and gets none'),
      possible('client-curve-unsupported', 'the same servers'),
      possible('tls-record-damaged'),
    ],
    [possible('tls-record-damaged')],
  ),
  51: seen(
    'the other side could not verify a signature',
    [
      likely('client-key-unproved', 'the device signs with another key than that of its certificate'),
      possible('key-certificate-mismatch'),
    ],
    [possible('tls-record-damaged'), possible('hub-untrusted', 'an authority of the same name with another key')],
  ),
  70: seen(
    'the versions of TLS on both sides do not meet',
    [likely('tls-version-unsupported')],
    [likely('tls-version-unsupported')],
  ),
  71: seen(
    'the other side wants stronger cryptography',
    [possible('tls-no-shared-cipher'), possible('certificate-key-weak')],
    [possible('tls-no-shared-cipher'), possible('hub-certificate-weak')],
  ),
  80: seen(
    'the other side met an error of its own',
    [possible('broker-refused-unexplained', serverLog)],
    [possible('hub-name-mismatch', 'clients of Mosquitto say this where the certificate is for another name')],
  ),
  109: seen('a message lacked something', [possible('tls-no-shared-cipher')], [possible('tls-no-shared-cipher')]),
  112: seen(
    'the other side serves no such name',
    [likely('tls-name-unrecognised')],
    [possible('tls-name-unrecognised')],
  ),
  116: seen(
    'the other side wants a certificate and got none',
    [likely('certificate-missing', 'the device has none set, or none of an authority that the server asks for')],
    [],
  ),
  120: seen(
    'both sides have no application protocol in common',
    [likely('tls-no-application-protocol')],
    [likely('tls-no-application-protocol')],
  ),
}

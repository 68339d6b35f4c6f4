/** Verdicts of one side on the certificate of the other. */
import { certain, likely, possible, seen, vague } from '../symptom.ts'

const deviceClock = 'compare the dates of the certificate with the clock of the device'
const brokerClock = 'compare the dates of the certificate with the clock of the broker'
const chainOf = (side: string) => `\`openssl s_client -showcerts\` shows what the ${side} sends`

export const peerSymptoms = {
  'peer-expired': seen(
    'a certificate of the other side has expired by its clock',
    [certain('hub-certificate-expired', deviceClock)],
    [likely('certificate-expired', 'an intermediate of the device may be the one that has expired')],
  ),
  'peer-early': seen(
    'a certificate of the other side is not valid yet by its clock',
    [certain('hub-certificate-not-yet-valid', deviceClock)],
    [likely('certificate-not-yet-valid', brokerClock)],
  ),
  'peer-dates': seen(
    'a certificate of the other side is not valid now by its clock',
    [
      possible('hub-certificate-expired', deviceClock),
      possible('hub-certificate-not-yet-valid', 'a device whose clock stands in 1970 or 2000 says this'),
    ],
    [possible('certificate-expired', brokerClock), possible('certificate-not-yet-valid', brokerClock)],
  ),
  'peer-issuer-unknown': seen(
    'it knows no authority that signed the certificate of the other side',
    [
      likely('hub-untrusted', 'compare the issuer with the certificates in the file of trusted authorities'),
      possible('hub-intermediate-missing', chainOf('server')),
    ],
    [
      likely('certificate-foreign-authority', 'compare the issuer with the authorities that the broker trusts'),
      possible('certificate-intermediate-missing', 'see whether an authority below a trusted one has issued it'),
      possible('certificate-self-signed', 'Go and Java do not tell it apart'),
    ],
  ),
  'peer-first-unverified': seen(
    'the other side sent one certificate, and its issuer is not known here',
    [
      possible('hub-untrusted', 'compare the issuer with the certificates in the file of trusted authorities'),
      possible('hub-intermediate-missing', chainOf('server')),
    ],
    [
      likely('certificate-foreign-authority', 'compare the issuer with the authorities that the broker trusts'),
      possible('certificate-intermediate-missing', 'see whether an authority below a trusted one has issued it'),
    ],
  ),
  'peer-issuer-or-none': seen(
    'an issuer of the certificate of the other side is missing',
    [possible('hub-untrusted'), possible('hub-intermediate-missing', chainOf('server'))],
    [
      likely('certificate-missing', 'Node says this of a client that shows no certificate'),
      possible('certificate-foreign-authority'),
      possible('certificate-intermediate-missing'),
      possible('client-curve-unsupported', 'a client with such a key sends no certificate under TLS 1.3'),
    ],
  ),
  'peer-root-untrusted': seen(
    'the chain of the other side ends in a root that is not trusted here',
    [likely('hub-untrusted')],
    [likely('certificate-foreign-authority')],
  ),
  'peer-self-signed': seen(
    'the certificate of the other side is signed by itself and not trusted here',
    [likely('hub-untrusted', 'the server shows a self-signed certificate, as many do before they are set up')],
    [likely('certificate-self-signed')],
  ),
  'peer-revoked': seen(
    'the certificate of the other side is on a list of revocations',
    [certain('hub-certificate-revoked')],
    [certain('certificate-revoked')],
  ),
  'peer-usage': seen(
    'the usages in the certificate of the other side do not allow this use',
    [certain('hub-certificate-wrong-usage')],
    [likely('certificate-wrong-usage', '`openssl x509 -purpose` shows what it is for')],
  ),
  'peer-name': seen(
    'the certificate of the other side does not carry the name that was dialled',
    [certain('hub-name-mismatch')],
    [possible('certificate-name-missing')],
  ),
  'peer-weak': seen(
    'a key or a signature of the other side is too weak, or of a kind that is not known here',
    [likely('hub-certificate-weak')],
    [possible('certificate-key-weak'), possible('certificate-hash-weak')],
  ),
  'peer-key-weak': seen(
    'a key in the chain of the other side is too weak',
    [certain('hub-certificate-weak')],
    [likely('certificate-key-weak')],
  ),
  'peer-hash-weak': seen(
    'a signature in the chain of the other side is made with a hash that is too weak',
    [certain('hub-certificate-weak')],
    [likely('certificate-hash-weak')],
  ),
  'peer-issuer-no-authority': seen(
    'what issued the certificate of the other side is no authority by its own certificate',
    [likely('hub-untrusted', 'the issuer lacks CA:TRUE')],
    [
      likely(
        'certificate-foreign-authority',
        'the issuer lacks CA:TRUE: somebody may have signed with a key of a device',
      ),
    ],
  ),
  'peer-signature-wrong': seen(
    'a signature of the other side does not verify',
    [
      possible('hub-untrusted', 'an authority of the same name with another key stands in the file of trusted ones'),
      possible('tls-record-damaged'),
    ],
    [
      possible('key-certificate-mismatch', 'the device signs with another key than that of its certificate'),
      possible('certificate-foreign-authority', 'an authority of the same name with another key has issued it'),
    ],
  ),
  'peer-extension-unknown': seen(
    'a certificate of the other side has a critical extension that is not known here',
    [likely('hub-certificate-weak', 'mbedTLS knows no critical name constraints or policies')],
    [likely('certificate-extension-unknown')],
  ),
  'peer-unreadable': seen(
    'the certificate of the other side cannot be read',
    [likely('hub-certificate-weak', 'the library may be too old for its key or signature')],
    [likely('certificate-unreadable')],
  ),
  'peer-missing': seen(
    'the other side sent no certificate',
    [possible('tls-no-shared-cipher', 'a server without a certificate for the suites of the client')],
    [certain('certificate-missing', 'the device has none set, or none of an authority that the broker asks for')],
  ),
  'peer-refused': vague(
    seen(
      'it does not accept the certificate of the other side, and does not say why here',
      [
        possible('hub-untrusted'),
        possible('hub-intermediate-missing'),
        possible('hub-certificate-expired'),
        possible('hub-certificate-not-yet-valid', 'look at the clock of the device'),
        possible('hub-name-mismatch'),
        possible('hub-certificate-wrong-usage'),
        possible('hub-certificate-weak'),
        possible('hub-certificate-revoked'),
      ],
      [
        possible('certificate-foreign-authority', 'OpenSSL tells the client which it was by an alert: see its log'),
        possible('certificate-intermediate-missing'),
        possible('certificate-expired'),
        possible('certificate-not-yet-valid'),
        possible('certificate-self-signed'),
        possible('certificate-wrong-usage'),
        possible('certificate-revoked'),
        possible('broker-crl-ended', 'where every device is refused at once'),
        possible('broker-crl-missing', 'where every device of one authority is refused at once'),
        possible('broker-crl-not-yet-valid'),
        possible('certificate-key-weak'),
        possible('certificate-hash-weak'),
        possible('client-curve-unsupported'),
      ],
    ),
  ),
  'crl-ended': seen('its list of revocations has ended', [certain('device-crl-unfit')], [certain('broker-crl-ended')]),
  'crl-missing': seen(
    'it has no list of revocations of the authority in question',
    [certain('device-crl-unfit')],
    [likely('broker-crl-missing', 'OpenSSL says this also of a self-signed certificate where a list is asked for')],
  ),
  'crl-early': seen(
    'its list of revocations begins in the future by its clock',
    [certain('device-crl-unfit')],
    [certain('broker-crl-not-yet-valid')],
  ),
  'alert-unreadable': seen(
    'it could not decrypt what came, as with an alert that a client sends without encryption',
    [possible('tls-record-damaged')],
    [
      possible('hub-untrusted', 'the log of the client says what it does not accept'),
      possible('hub-intermediate-missing'),
      possible('hub-name-mismatch'),
      possible('hub-certificate-expired'),
      possible('hub-certificate-not-yet-valid'),
      possible('hub-certificate-wrong-usage'),
      possible('certificate-missing'),
      possible('tls-record-damaged'),
    ],
  ),
  'no-trusted-roots': seen('it was given no authority to trust', [certain('hub-untrusted')], []),
  'name-or-refused': seen(
    'mbedTLS 3 says that the server knows no such name, mbedTLS 2 that the certificate was not accepted',
    [possible('tls-name-unrecognised'), possible('hub-untrusted'), possible('hub-name-mismatch')],
    [possible('certificate-foreign-authority')],
  ),
  'name-unset': seen('it was not told which name to expect', [certain('hub-name-unset')], []),
}

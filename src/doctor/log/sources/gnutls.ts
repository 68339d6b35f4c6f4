/** GnuTLS: gnutls-cli, gnutls-serv and programs that print gnutls_strerror(). */
import { numberIn, type Source } from '../sign.ts'
import { alertSymptom, symptoms } from '../symptoms/index.ts'

export const gnutls: Source = {
  name: 'GnuTLS',
  phrases: [
    [/\bReceived alert \[(\d{1,3})\]/, (match) => alertSymptom(numberIn(match))],
    [/\bA TLS fatal alert has been received\b/, 'alert-received'],
    [/\bThe certificate issuer is unknown\b/, 'peer-issuer-unknown'],
    [/\bThe certificate chain uses expired certificate\b/, 'peer-expired'],
    [/\bThe certificate chain uses not yet valid certificate\b/, 'peer-early'],
    [/\bThe certificate chain is revoked\b/, 'peer-revoked'],
    [/\bThe name in the certificate does not match the expected\b/, 'peer-name', 'client'],
    [/\bThe certificate chain uses insecure algorithm\b/, 'peer-hash-weak'],
    [/\bThe certificate chain does not match the intended purpose\b/, 'peer-usage'],
    [/\bPKI verification of server certificate failed\b/, 'peer-refused', 'client'],
    [/\bError in the certificate\b/, 'peer-refused'],
    [/\bError in handshake: No certificate was found\b/, 'alert-unreadable', 'server'],
    [/\bError in handshake: Certificate is required\b/, 'peer-missing', 'server'],
    [/\bNo supported cipher suites have been found\b/, 'no-common-cipher-or-version'],
    [/\bNo common application protocol could be negotiated\b/, 'no-common-protocol'],
    [/\bAn unexpected TLS packet was received\b/, 'not-tls'],
    [/\bReceived record packet of unknown type (\d{1,3})\b/, unknownRecord],
    [/\bServer has terminated the connection abnormally\b/, 'closed-early', 'client'],
    [/\bThe TLS connection was non-properly terminated\b/, 'closed-early'],
    [/\bDecryption has failed\b|\bdue to invalid decryption\b/, 'alert-unreadable'],
    [/\bError importing key: Base64 decoding error\b/, 'pem-base64'],
    [/\bError importing key\b/, 'key-unreadable'],
    [/\bError (?:loading|importing) cert(?:ificate)?(?: file)?: /, 'certificate-unreadable-here'],
    [/\bError loading cert file\.$/, 'file-unfit'],
    [/\bThe curve is unsupported\b/, 'curve-unfit'],
  ],
}

/** 16 begins a CONNECT of MQTT; letters begin HTTP. */
function unknownRecord(match: RegExpExecArray) {
  const type = numberIn(match)
  return symptoms[type > 64 && type < 91 ? 'http' : 'not-tls']
}

/** Go: crypto/tls and crypto/x509. */
import type { Source } from '../sign.ts'
import { alertNamed } from './alert-words.ts'

export const go: Source = {
  name: 'Go',
  phrases: [
    [/\bremote error: tls: ([a-z ]{3,40})/, (match) => alertNamed(match[1] ?? '')],
    [/\blocal error: tls: bad record MAC\b/, 'alert-unreadable'],
    [/\bcertificate signed by unknown authority\b/, 'peer-issuer-unknown'],
    [/\bcertificate has expired or is not yet valid: current time \S{1,40} is after\b/, 'peer-expired'],
    [/\bcertificate has expired or is not yet valid: current time \S{1,40} is before\b/, 'peer-early'],
    [/\bcertificate has expired or is not yet valid(?!: current time)/, 'peer-dates'],
    [
      /\bcertificate is (?:valid for [\w.*:, -]{1,200}|not valid for any names), (?:not|but wanted to match) [\w.*:-]{1,253}/,
      'peer-name',
      'client',
    ],
    [/\bcannot validate certificate for \S{1,253} because it doesn't contain any IP SANs\b/, 'peer-name', 'client'],
    [/\bcertificate relies on legacy Common Name field\b/, 'peer-name', 'client'],
    [/\bcertificate specifies an incompatible key usage\b/, 'peer-usage'],
    [/\bcertificate is not authorized to sign other certificates\b/, 'peer-issuer-no-authority'],
    [/\binsecure algorithm SHA1/, 'peer-hash-weak'],
    [/\bunsupported elliptic curve\b/, 'curve-unfit'],
    [/\bfirst record does not look like a TLS handshake\b/, 'not-tls'],
    [/\bclient sent an HTTP request to an HTTPS server\b/, 'http', 'server'],
    [/\bserver gave HTTP response to HTTPS client\b/, 'http', 'client'],
    [/\bclient didn't provide a certificate\b/, 'peer-missing', 'server'],
    [/\bclient offered only unsupported versions\b/, 'no-common-version', 'server'],
    [/\bno cipher suite supported by both client and server\b/, 'no-common-cipher'],
    [/\bprivate key does not match public key\b/, 'key-mismatch'],
    [
      /\bfailed to find any PEM data in certificate input\b|\bfailed to find "CERTIFICATE" PEM block\b/,
      'certificate-unreadable-here',
    ],
    [
      /\bfailed to find any PEM data in key input\b|\btls: failed to parse private key\b|\bfailed to find PEM block with type ending in "PRIVATE KEY"/,
      'key-unreadable',
    ],
    [/\bTLS handshake error from \S{1,100}: EOF$/, 'closed-early', 'server'],
    [/\b(?:network Error|dial|handshake|read)[^:]{0,40}: EOF$/i, 'closed-early'],
  ],
}

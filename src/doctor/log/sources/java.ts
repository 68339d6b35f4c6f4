/** Java (JSSE) and what stands on it: Netty, the HiveMQ client, HiveMQ. */
import type { Source } from '../sign.ts'
import { alertNamed } from './alert-words.ts'
import { codeNamed } from './mqtt-codes.ts'

export const java: Source = {
  name: 'Java',
  phrases: [
    [/\bReceived fatal alert: ([a-z_]+)/, (match) => alertNamed(match[1] ?? '')],
    [
      /\bPKIX path building failed\b|\bunable to find valid certification path\b|\bTrust anchor for certification path not found\b/,
      'peer-issuer-unknown',
    ],
    [/\bPKIX path validation failed\b/, 'peer-refused'],
    [/\bvalidity check failed\b/, 'peer-dates'],
    [/\bCertificateExpiredException\b/, 'peer-expired'],
    [/\bCertificateNotYetValidException\b/, 'peer-early'],
    [/\bCertificate has been revoked\b|\bCertificateRevokedException\b/, 'peer-revoked'],
    [
      /\bNo subject alternative (?:DNS |IP |DNS or IP )?(?:name|names|address)\b|\bNo name matching \S{1,253} found\b/,
      'peer-name',
      'client',
    ],
    [/\bExtended key usage does not permit use for TLS server authentication\b/, 'peer-usage', 'client'],
    [/\bExtended key usage does not permit use for TLS client authentication\b/, 'peer-usage', 'server'],
    [/\bKeyUsage does not allow digital signatures\b/, 'peer-usage'],
    [/\bEmpty client certificate chain\b|\bnull cert chain\b/, 'peer-missing', 'server'],
    [/\bpeer not authenticated\b/, 'peer-missing'],
    [
      /\bRemote host (?:terminated|closed connection during) (?:the )?handshake\b|\bSSL peer shut down incorrectly\b|\bReceived close_notify during handshake\b/,
      'closed-early',
    ],
    [/\bUnsupported or unrecognized SSL message\b|\bnot an SSL\/TLS record\b/, 'not-tls'],
    [/\bno cipher suites in common\b/, 'no-common-cipher'],
    [
      /\bNo appropriate protocol\b|\bThe server selected protocol version \S{1,20} is not accepted\b/,
      'no-common-version',
    ],
    [/\bNo supported CertificateVerify signature algorithm\b/, 'key-type'],
    [/\bAlgorithm constraints check failed\b|\bdoes not conform to algorithm constraints\b/, 'peer-weak'],
    [/\bkeystore password was incorrect\b/, 'passphrase-wrong'],
    [/\bCONNACK contained an Error Code: ([A-Z_]+)/, (match) => codeNamed(match[1] ?? ''), 'client'],
    [/\bServer closed connection without DISCONNECT\b|\bConnectionClosedException\b/, 'closed-early', 'client'],
  ],
}

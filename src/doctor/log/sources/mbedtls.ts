/** mbedTLS: numbers in decimal and hexadecimal, verify flags, alerts in lines of its debug levels. */
import { numberIn, type Sign, type Source } from '../sign.ts'
import type { Symptom } from '../symptom.ts'
import { alertSymptom, type SymptomName, symptoms } from '../symptoms/index.ts'

/** Errors of the upper level, a multiple of 0x80, by their amount. Where versions differ both names stand. */
const upper: ReadonlyMap<number, readonly [name: string, says: SymptomName | null]> = new Map([
  [0x1080, ['PEM_NO_HEADER_FOOTER_PRESENT', 'pem-no-begin']],
  [0x1100, ['PEM_INVALID_DATA', 'pem-base64']],
  [0x1180, ['PEM_ALLOC_FAILED', 'memory-short']],
  [0x1200, ['PEM_INVALID_ENC_IV', 'pem-base64']],
  [0x1280, ['PEM_UNKNOWN_ENC_ALG', 'key-encryption']],
  [0x1300, ['PEM_PASSWORD_REQUIRED', 'passphrase-missing']],
  [0x1380, ['PEM_PASSWORD_MISMATCH', 'passphrase-wrong']],
  [0x1400, ['PEM_FEATURE_UNAVAILABLE', 'key-encryption']],
  [0x1480, ['PEM_BAD_INPUT_DATA', 'pem-base64']],
  [0x1e00, ['PKCS12_PASSWORD_MISMATCH', 'passphrase-wrong']],
  [0x1e80, ['PKCS12_PBE_INVALID_FORMAT', 'key-unreadable']],
  [0x1f00, ['PKCS12_FEATURE_UNAVAILABLE', 'key-encryption']],
  [0x2080, ['X509_FEATURE_UNAVAILABLE', 'peer-extension-unknown']],
  [0x2100, ['X509_UNKNOWN_OID', 'peer-extension-unknown']],
  [0x2180, ['X509_INVALID_FORMAT', 'certificate-unreadable-here']],
  [0x2400, ['X509_INVALID_DATE', 'certificate-unreadable-here']],
  [0x2480, ['X509_INVALID_SIGNATURE', 'certificate-unreadable-here']],
  [0x2500, ['X509_INVALID_EXTENSIONS', 'peer-extension-unknown']],
  [0x2600, ['X509_UNKNOWN_SIG_ALG', 'peer-weak']],
  [0x2680, ['X509_SIG_MISMATCH', 'peer-signature-wrong']],
  [0x2700, ['X509_CERT_VERIFY_FAILED', 'peer-refused']],
  [0x2780, ['X509_CERT_UNKNOWN_FORMAT', 'certificate-unreadable-here']],
  [0x2880, ['X509_ALLOC_FAILED', 'memory-short']],
  [0x2900, ['X509_FILE_IO_ERROR', 'file-unopened']],
  [0x2e00, ['PKCS5_PASSWORD_MISMATCH', 'passphrase-wrong']],
  [0x2e80, ['PKCS5_FEATURE_UNAVAILABLE', 'key-encryption']],
  [0x2f00, ['PKCS5_INVALID_FORMAT', 'key-unreadable']],
  [0x3000, ['X509_FATAL_ERROR', 'peer-refused']],
  [0x3900, ['PK_SIG_LEN_MISMATCH', 'key-mismatch']],
  [0x3980, ['PK_FEATURE_UNAVAILABLE', 'key-type']],
  [0x3a00, ['PK_UNKNOWN_NAMED_CURVE', 'key-type']],
  [0x3b00, ['PK_INVALID_PUBKEY', 'key-unreadable']],
  [0x3b80, ['PK_PASSWORD_MISMATCH', 'passphrase-wrong']],
  [0x3c00, ['PK_PASSWORD_REQUIRED', 'passphrase-missing']],
  [0x3c80, ['PK_UNKNOWN_PK_ALG', 'key-type']],
  [0x3d00, ['PK_KEY_INVALID_FORMAT', 'key-unreadable']],
  [0x3d80, ['PK_KEY_INVALID_VERSION', 'key-unreadable']],
  [0x3e00, ['PK_FILE_IO_ERROR', 'file-unopened']],
  [0x3f00, ['PK_TYPE_MISMATCH', 'key-mismatch']],
  [0x3f80, ['PK_ALLOC_FAILED', 'memory-short']],
  [0x4380, ['RSA_VERIFY_FAILED', 'key-unproved']],
  [0x4e00, ['ECP_VERIFY_FAILED', 'key-unproved']],
  [0x5d80, ['SSL_CERTIFICATE_VERIFICATION_WITHOUT_HOSTNAME', 'name-unset']],
  [0x6800, ['SSL_TIMEOUT', 'handshake-late']],
  [0x6980, ['SSL_NO_USABLE_CIPHERSUITE', 'no-common-cipher']],
  [0x6a00, ['SSL_BUFFER_TOO_SMALL', 'record-large']],
  [0x6d00, ['SSL_PK_TYPE_MISMATCH', 'no-common-cipher']],
  [0x6e00, ['SSL_HANDSHAKE_FAILURE (3.x), SSL_BAD_HS_NEW_SESSION_TICKET (2.x)', 'no-common-cipher']],
  [0x6e80, ['SSL_BAD_PROTOCOL_VERSION', 'no-common-version']],
  [0x7180, ['SSL_INVALID_MAC', 'record-damaged']],
  [0x7200, ['SSL_INVALID_RECORD', 'record-unfit']],
  [0x7280, ['SSL_CONN_EOF', 'closed-early']],
  [0x7300, ['SSL_DECODE_ERROR (3.x), SSL_UNKNOWN_CIPHER (2.x)', 'record-damaged']],
  [0x7380, ['SSL_NO_CIPHER_CHOSEN', 'no-common-cipher']],
  [0x7480, ['SSL_NO_CLIENT_CERTIFICATE', 'peer-missing']],
  [0x7500, ['SSL_CERTIFICATE_TOO_LARGE', 'record-large']],
  [0x7580, ['SSL_NO_APPLICATION_PROTOCOL (3.x), SSL_CERTIFICATE_REQUIRED (2.x)', 'no-common-protocol']],
  [0x7600, ['SSL_PRIVATE_KEY_REQUIRED', 'file-unfit']],
  [0x7680, ['SSL_CA_CHAIN_REQUIRED', 'no-trusted-roots']],
  [0x7700, ['SSL_UNEXPECTED_MESSAGE', 'handshake-failed']],
  [0x7780, ['SSL_FATAL_ALERT_MESSAGE', 'alert-received']],
  [0x7800, ['SSL_UNRECOGNIZED_NAME (3.x), SSL_PEER_VERIFY_FAILED (2.x)', 'name-or-refused']],
  [0x7880, ['SSL_PEER_CLOSE_NOTIFY', 'closed-early']],
  [0x7900, ['SSL_BAD_HS_CLIENT_HELLO', 'handshake-failed']],
  [0x7980, ['SSL_BAD_HS_SERVER_HELLO', 'handshake-failed']],
  [0x7a00, ['SSL_BAD_CERTIFICATE', 'peer-refused']],
  [0x7b00, ['SSL_RECEIVED_NEW_SESSION_TICKET (3.6), SSL_BAD_HS_SERVER_KEY_EXCHANGE (2.x)', 'ticket-unexpected']],
  [0x7f00, ['SSL_ALLOC_FAILED', 'memory-short']],
])

/** Errors of the lower level, below 0x80. */
const lower: ReadonlyMap<number, readonly [name: string, says: SymptomName | null]> = new Map([
  [0x10, ['MPI_ALLOC_FAILED', 'memory-short']],
  [0x2a, ['BASE64_BUFFER_TOO_SMALL', null]],
  [0x2c, ['BASE64_INVALID_CHARACTER', 'pem-base64']],
  [0x2e, ['OID_NOT_FOUND', null]],
  [0x42, ['NET_SOCKET_FAILED', 'connect-failed']],
  [0x44, ['NET_CONNECT_FAILED', 'connect-failed']],
  [0x4c, ['NET_RECV_FAILED', 'connection-reset']],
  [0x4e, ['NET_SEND_FAILED', 'connection-reset']],
  [0x50, ['NET_CONN_RESET', 'connection-reset']],
  [0x52, ['NET_UNKNOWN_HOST', 'name-not-found']],
  [0x60, ['ASN1_OUT_OF_DATA', null]],
  [0x62, ['ASN1_UNEXPECTED_TAG', null]],
  [0x64, ['ASN1_INVALID_LENGTH', null]],
  [0x66, ['ASN1_LENGTH_MISMATCH', null]],
  [0x68, ['ASN1_INVALID_DATA', null]],
  [0x6a, ['ASN1_ALLOC_FAILED', 'memory-short']],
])

/**
 * An error of mbedTLS by its number, negative as it is returned: one level, or an upper one with a lower one in its last seven bits.
 *
 * @returns null for a number that is none
 */
export function mbedtlsError(number: number): readonly [name: string, symptom: Symptom | null] | null {
  const amount = -number
  if (!Number.isInteger(amount) || amount < 1 || amount > 0x7fff) return null
  const low = lower.get(amount & 0x7f)
  if (amount < 0x80)
    return low === undefined ? null : [`MBEDTLS_ERR_${low[0]}`, low[1] === null ? null : symptoms[low[1]]]
  const high = upper.get(amount & 0x7f80)
  if (high === undefined || ((amount & 0x7f) !== 0 && low === undefined)) return null
  const says = amount === 0x112c ? 'pem-base64' : high[1]
  const name = `MBEDTLS_ERR_${high[0]}${low === undefined ? '' : ` + ${low[0]}`}`
  return [name, says === null ? null : symptoms[says]]
}

/** Flags of mbedtls_ssl_get_verify_result(). */
const flags: readonly (readonly [bit: number, text: string, says: SymptomName])[] = [
  [0x01, 'The certificate validity has expired', 'peer-expired'],
  [0x02, 'The certificate has been revoked', 'peer-revoked'],
  [0x04, 'The certificate Common Name \\(CN\\) does not match', 'peer-name'],
  [0x08, 'The certificate is not correctly signed by the trusted CA', 'peer-issuer-unknown'],
  [0x10, 'The CRL is not correctly signed by the trusted CA', 'crl-missing'],
  [0x20, 'The CRL is expired', 'crl-ended'],
  [0x40, 'Certificate was missing', 'peer-missing'],
  [0x200, 'The certificate validity starts in the future', 'peer-early'],
  [0x400, 'The CRL is from the future', 'crl-early'],
  [0x800, 'Usage does not match the keyUsage extension', 'peer-usage'],
  [0x1000, 'Usage does not match the extendedKeyUsage extension', 'peer-usage'],
  [0x4000, 'The certificate is signed with an unacceptable hash', 'peer-hash-weak'],
  [0x8000, 'The certificate is signed with an unacceptable PK alg', 'peer-weak'],
  [0x10000, 'The certificate is signed with an unacceptable key', 'peer-key-weak'],
]

/** What verify flags say, a symptom for each bit; none where a bit is not known, since it is another number then. */
export function verifyFlags(number: number): readonly Symptom[] {
  const known = flags.reduce((sum, [bit]) => sum | bit, 0)
  if (number < 0 || number > 0xffffff || (number & ~known) !== 0) return []
  return flags.filter(([bit]) => (number & bit) !== 0).map(([, , says]) => symptoms[says])
}

const name = 'mbedTLS'

export const mbedtls: Source = {
  name,
  phrases: [
    ...flags.map(([, text, says]) => [new RegExp(text), says] as const),
    [/\bgot an alert message, type: \[[12]:(\d{1,3})\]/, (match) => alertSymptom(numberIn(match))],
    [/\bis a fatal alert message \(msg (\d{1,3})\)/, (match) => alertSymptom(numberIn(match))],
    [
      /(-\d{1,5}) - (?:NET|SSL|X509|PK|PEM|PKCS5|ASN1|RSA|ECP)\b/,
      (match) => mbedtlsError(numberIn(match))?.[1] ?? null,
    ],
    [/\bunknown record type \d{1,3}\b/, 'not-tls'],
    [/\bbad certificate \(usage extensions\)/, 'peer-usage'],
    [/\bno CA chain\b|\bgot no CA chain\b/, 'no-trusted-roots'],
  ],
}

/** Numbers of mbedTLS in a line: in hexadecimal with their sign, in decimal where they are ones of the upper level; and verify flags. */
export function mbedtlsNumbers(line: string): readonly Sign[] {
  const signs: Sign[] = []
  for (const match of line.matchAll(/(?<![\w.])-0x[0-9a-f]{2,4}(?![0-9a-f])|(?<![\w.-])-\d{4,5}(?![\d.:])/gi)) {
    const text = match[0]
    const number = -Number(text.slice(1))
    const symptom = mbedtlsError(number)?.[1] ?? null
    if (symptom !== null) signs.push({ source: name, symptom, quoted: text, at: match.index, side: null })
  }
  const verify = /\b(?:verify(?:_result| flags?| result)?|flags?)(?: is|:|=)? ?(0x[0-9a-f]{1,6})\b/i.exec(line)
  if (verify !== null && /verif|cert|flag/i.test(line)) {
    for (const symptom of verifyFlags(Number(verify[1]))) {
      signs.push({ source: name, symptom, quoted: verify[0], at: verify.index, side: null })
    }
  }
  return signs
}

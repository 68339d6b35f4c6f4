/** OpenSSL and all that stands on it: reasons of its error queue in every spelling, alerts, verdicts on chains by text, name and number. */
import { numberIn, type Phrase, type Source } from '../sign.ts'
import type { Symptom } from '../symptom.ts'
import { alertSymptom, type SymptomName, symptoms } from '../symptoms/index.ts'
import { alertNamed } from './alert-words.ts'

/** Verdicts on chains (X509_V_ERR_…): number, text without its hyphens, what it says. */
const verdicts: readonly (readonly [number: number, name: string, text: string, says: SymptomName])[] = [
  [2, 'UNABLE_TO_GET_ISSUER_CERT', 'unable to get issuer certificate', 'peer-issuer-or-none'],
  [3, 'UNABLE_TO_GET_CRL', 'unable to get certificate CRL', 'crl-missing'],
  [7, 'CERT_SIGNATURE_FAILURE', 'certificate signature failure', 'peer-signature-wrong'],
  [9, 'CERT_NOT_YET_VALID', 'certificate is not yet valid', 'peer-early'],
  [10, 'CERT_HAS_EXPIRED', '(?<!x509: )certificate has expired(?! or is not)', 'peer-expired'],
  [11, 'CRL_NOT_YET_VALID', 'CRL is not yet valid', 'crl-early'],
  [12, 'CRL_HAS_EXPIRED', 'CRL has expired', 'crl-ended'],
  [18, 'DEPTH_ZERO_SELF_SIGNED_CERT', 'self.signed certificate', 'peer-self-signed'],
  [19, 'SELF_SIGNED_CERT_IN_CHAIN', 'self.signed certificate in certificate chain', 'peer-root-untrusted'],
  [20, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'unable to get local issuer certificate', 'peer-issuer-unknown'],
  [21, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unable to verify the first certificate', 'peer-first-unverified'],
  [23, 'CERT_REVOKED', 'certificate revoked', 'peer-revoked'],
  [24, 'INVALID_CA', 'invalid CA certificate', 'peer-issuer-no-authority'],
  [26, 'INVALID_PURPOSE', 'uns(?:uitable|upported) certificate purpose', 'peer-usage'],
  [27, 'CERT_UNTRUSTED', 'certificate not trusted', 'peer-refused'],
  [28, 'CERT_REJECTED', 'certificate rejected', 'peer-refused'],
  [32, 'KEYUSAGE_NO_CERTSIGN', 'key usage does not include certificate signing', 'peer-issuer-no-authority'],
  [33, 'UNABLE_TO_GET_CRL_ISSUER', 'unable to get CRL issuer certificate', 'crl-missing'],
  [34, 'UNHANDLED_CRITICAL_EXTENSION', 'unhandled critical extension', 'peer-extension-unknown'],
  [62, 'HOSTNAME_MISMATCH', 'hostname mismatch', 'peer-name'],
  [64, 'IP_ADDRESS_MISMATCH', 'IP address mismatch', 'peer-name'],
  [66, 'EE_KEY_TOO_SMALL', 'EE certificate key too weak', 'peer-key-weak'],
  [67, 'CA_KEY_TOO_SMALL', 'CA certificate key too weak', 'peer-key-weak'],
  [68, 'CA_MD_TOO_WEAK', 'CA signature digest algorithm too weak', 'peer-hash-weak'],
  [79, 'INVALID_CA', 'invalid CA certificate', 'peer-issuer-no-authority'],
]

/** Reasons of the error queue: library and number as they are packed in OpenSSL 3, the text, what it says. */
const reasons: readonly (readonly [code: number, text: string, says: SymptomName])[] = [
  [0x0a000086, 'certificate verify failed', 'peer-refused'],
  [0x0a0000c1, 'no shared cipher', 'no-common-cipher'],
  [0x0a0000c7, 'peer did not return a certificate', 'peer-missing'],
  [0x0a000102, 'unsupported protocol', 'no-common-version'],
  [0x0a00010b, 'wrong version number', 'not-tls'],
  [0x0a0000fc, 'unknown protocol', 'not-tls'],
  [0x0a00009c, 'routines:[^:]{0,60}:http request', 'http'],
  [0x0a00009b, 'https proxy request', 'http'],
  [0x0a000126, 'unexpected eof while reading', 'closed-early'],
  [0x0a00017a, 'wrong curve', 'curve-unfit'],
  [0x0a000065, 'no suitable key share', 'no-common-group'],
  [0x0a000076, 'no suitable signature algorithm', 'no-common-signature'],
  [0x0a000178, 'no shared signature algorithms', 'no-common-signature'],
  [0x0a0000eb, 'no application protocol', 'no-common-protocol'],
  [0x0a00007b, 'bad signature', 'key-unproved'],
  [0x0a00018e, 'ca md too weak', 'own-hash-weak'],
  [0x0a00018f, 'ee key too small', 'own-key-weak'],
  [0x0a000119, 'decryption failed or bad record mac', 'record-damaged'],
  [0x05800074, 'key values mismatch', 'key-mismatch'],
  [0x0b080074, 'key values mismatch', 'key-mismatch'],
  [0x0480006c, 'no start line', 'pem-no-begin'],
  [0x0906d06c, 'no start line', 'pem-no-begin'],
  [0x04800066, 'bad end line', 'pem-no-end'],
  [0x04800064, 'bad base64 decode', 'pem-base64'],
  [0x04800068, 'bad password read', 'passphrase-missing'],
  [0x0480006d, 'problems getting password', 'passphrase-missing'],
  [0x1400006b, 'UI routines::?processing error', 'passphrase-missing'],
  [0x1c80009f, 'unable to get passphrase', 'passphrase-missing'],
  [0x1c800064, 'bad decrypt', 'passphrase-wrong'],
  [0x03000064, 'bad decrypt', 'passphrase-wrong'],
  [0x06065064, 'bad decrypt', 'passphrase-wrong'],
  [0x11800074, 'pkcs12 cipherfinal error', 'passphrase-wrong'],
  [0x11800071, 'mac verify failure', 'passphrase-wrong'],
  [0x1e08010c, 'DECODER routines:[^:]*:unsupported', 'key-unreadable'],
  [0x1608010c, 'STORE routines:[^:]*:unsupported', 'key-unreadable'],
]

/** The text with spaces, and in the capitals of Node and Python. */
function spellings(text: string): RegExp {
  return new RegExp(/[(:]/.test(text) ? text : `(?<![a-z])${text.replaceAll(' ', '[ _]')}(?![a-z])`, 'i')
}

const byVerdict: ReadonlyMap<number, SymptomName> = new Map(verdicts.map(([number, , , says]) => [number, says]))
const byCode: ReadonlyMap<number, SymptomName> = new Map(reasons.map(([code, , says]) => [code, says]))

/** What a verdict of OpenSSL says by its number (openssl-verification-options(1)); null for one that is not known here. */
export function verdictNumbered(number: number): readonly [name: string, symptom: Symptom] | null {
  const found = verdicts.find(([known]) => known === number)
  return found === undefined ? null : [`X509_V_ERR_${found[1]}`, symptoms[found[3]]]
}

/** What an error of OpenSSL says by its packed number, of 1.1 or 3; null for one that is not known here. */
export function errorPacked(code: number): Symptom | null {
  const says = byCode.get(code)
  if (says !== undefined) return symptoms[says]
  // Library 20 is SSL; reasons from 1000 on are alerts. OpenSSL 1.1 has the function between both.
  const isThree = code >>> 23 === 20
  const isOne = code >>> 24 === 20
  if (!isThree && !isOne) return null
  const reason = isThree ? code & 0x7fffff : code & 0xfff
  if (reason >= 1000 && reason < 1256) return alertSymptom(reason - 1000)
  const known = byCode.get(0x0a000000 + reason)
  return known === undefined ? null : symptoms[known]
}

const verdictPhrases: readonly Phrase[] = [
  [/\bverify error:num=(\d{1,3})\b/, (match) => named(byVerdict.get(numberIn(match)))],
  [/\bverif(?:y|ication) (?:return|error) ?code:? ?(\d{1,3})\b/i, (match) => named(byVerdict.get(numberIn(match)))],
  ...verdicts.map(([, , text, says]): Phrase => [new RegExp(text, 'i'), says]),
  ...verdicts.map(([, name, , says]): Phrase => [new RegExp(`(?<=X509_V_ERR_|(?<![A-Z_]))${name}(?![A-Z_])`), says]),
]

function named(says: SymptomName | undefined): Symptom | null {
  return says === undefined ? null : symptoms[says]
}

export const openssl: Source = {
  name: 'OpenSSL',
  phrases: [
    ...verdictPhrases,
    ...reasons.map(([, text, says]): Phrase => [spellings(text), says]),
    [/\berror:([0-9A-F]{8}):/i, (match) => errorPacked(Number.parseInt(match[1] ?? '', 16))],
    [/(?<![a-z])(?:sslv3|tlsv1[\d.]*|ssl\/tls|tls)[ _]alert[ _]([a-z]+(?:[ _][a-z0-9]+){0,4})/i, alertIn],
    [/\b(?:sslv3|tlsv1[\d.]*)[ _](unrecognized name)/i, alertIn],
    [/\bSSL alert number (\d{1,3})\b/i, (match) => alertSymptom(numberIn(match))],
    [/(?<![A-Z])HTTP_REQUEST\b/, 'http'],
    [/\[SSL\] PEM lib\b|\bSSL routines:[^:]{0,60}:PEM lib\b/, 'file-unfit'],
    [/\bSSL_ERROR_SYSCALL\b/, 'closed-early'],
    [/\bSSL_CTX_use_PrivateKey_file:PEM lib\b|\berror setting (?:certificate|private key)\b/, 'file-unfit'],
    [/\bCould not (?:read|find) (?:client )?certificate private key\b/, 'key-unreadable'],
    [/\bCould not read (?:client )?certificate from\b/, 'certificate-unreadable-here'],
    [/\bCould not open file or uri\b/, 'file-unopened'],
  ],
}

/** The longest beginning of the words that names an alert: others may follow in the line. */
function alertIn(match: RegExpExecArray): Symptom | null {
  const words = (match[1] ?? '').split(/[ _]/)
  for (let length = words.length; length > 0; length--) {
    const found = alertNamed(words.slice(0, length).join(' '))
    if (found !== null) return found
  }
  return null
}

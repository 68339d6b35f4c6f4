/** Errors of GnuTLS by number (gnutls.h). */
import type { Symptom } from '../symptom.ts'
import { type SymptomName, symptoms } from '../symptoms/index.ts'

const errors: ReadonlyMap<number, readonly [name: string, says: SymptomName]> = new Map([
  [-8, ['UNSUPPORTED_VERSION_PACKET', 'no-common-version']],
  [-9, ['UNEXPECTED_PACKET_LENGTH', 'not-tls']],
  [-12, ['FATAL_ALERT_RECEIVED', 'alert-received']],
  [-15, ['UNEXPECTED_PACKET', 'not-tls']],
  [-24, ['DECRYPTION_FAILED', 'alert-unreadable']],
  [-25, ['MEMORY_ERROR', 'memory-short']],
  [-34, ['BASE64_DECODING_ERROR', 'pem-base64']],
  [-43, ['CERTIFICATE_ERROR', 'peer-refused']],
  [-48, ['KEY_USAGE_VIOLATION', 'peer-usage']],
  [-49, ['NO_CERTIFICATE_FOUND', 'peer-missing']],
  [-53, ['PUSH_ERROR', 'connection-reset']],
  [-54, ['PULL_ERROR', 'connection-reset']],
  [-60, ['CERTIFICATE_KEY_MISMATCH', 'key-mismatch']],
  [-64, ['FILE_ERROR', 'file-unopened']],
  [-80, ['UNKNOWN_PK_ALGORITHM', 'key-type']],
  [-87, ['NO_CIPHER_SUITES', 'no-common-cipher-or-version']],
  [-89, ['PK_SIG_VERIFY_FAILED', 'key-unproved']],
  [-110, ['PREMATURE_TERMINATION', 'closed-early']],
  [-112, ['CERTIFICATE_REQUIRED', 'peer-missing']],
  [-207, ['BASE64_UNEXPECTED_HEADER_ERROR', 'pem-no-begin']],
  [-294, ['UNRECOGNIZED_NAME', 'name-not-served']],
  [-319, ['TIMEDOUT', 'handshake-late']],
  [-344, ['NO_APPLICATION_PROTOCOL', 'no-common-protocol']],
  [-348, ['CERTIFICATE_VERIFICATION_ERROR', 'peer-refused']],
  [-423, ['NO_COMMON_KEY_SHARE', 'no-common-group']],
])

/** @returns null for a number that is not known here */
export function gnutlsError(number: number): readonly [name: string, symptom: Symptom] | null {
  const found = errors.get(number)
  return found === undefined ? null : [`GNUTLS_E_${found[0]}`, symptoms[found[1]]]
}

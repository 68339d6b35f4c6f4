/** wolfSSL: numbers and the texts of wolfSSL_ERR_error_string(). */
import { numberIn, type Source } from '../sign.ts'
import type { Symptom } from '../symptom.ts'
import { alertSymptom, type SymptomName, symptoms } from '../symptoms/index.ts'

const errors: readonly (readonly [number: number, name: string, says: SymptomName])[] = [
  [-125, 'MEMORY_E', 'memory-short'],
  [-140, 'ASN_PARSE_E', 'certificate-unreadable-here'],
  [-150, 'ASN_BEFORE_DATE_E', 'peer-early'],
  [-151, 'ASN_AFTER_DATE_E', 'peer-expired'],
  [-155, 'ASN_SIG_CONFIRM_E', 'peer-signature-wrong'],
  [-156, 'ASN_SIG_HASH_E', 'peer-weak'],
  [-157, 'ASN_SIG_KEY_E', 'peer-weak'],
  [-160, 'ASN_CRIT_EXT_E', 'peer-extension-unknown'],
  [-162, 'ASN_NO_PEM_HEADER', 'pem-no-begin'],
  [-179, 'CRL_CERT_DATE_ERR', 'crl-ended'],
  [-188, 'ASN_NO_SIGNER_E', 'peer-issuer-unknown'],
  [-229, 'SIG_VERIFY_E', 'key-unproved'],
  [-275, 'ASN_SELF_SIGNED_E', 'peer-self-signed'],
  [-303, 'MEMORY_ERROR', 'memory-short'],
  [-305, 'VERIFY_MAC_ERROR', 'record-damaged'],
  [-308, 'SOCKET_ERROR_E', 'connection-reset'],
  [-312, 'DECRYPT_ERROR', 'record-damaged'],
  [-313, 'FATAL_ERROR', 'alert-received'],
  [-317, 'NO_PRIVATE_KEY', 'file-unfit'],
  [-322, 'DOMAIN_NAME_MISMATCH', 'peer-name'],
  [-325, 'IPADDR_MISMATCH', 'peer-name'],
  [-326, 'VERSION_ERROR', 'no-common-version'],
  [-329, 'VERIFY_CERT_ERROR', 'peer-refused'],
  [-330, 'VERIFY_SIGN_ERROR', 'key-unproved'],
  [-341, 'LENGTH_ERROR', 'record-unfit'],
  [-343, 'ZERO_RETURN', 'closed-early'],
  [-345, 'NO_PEER_CERT', 'peer-missing'],
  [-357, 'NOT_CA_ERROR', 'peer-issuer-no-authority'],
  [-361, 'CRL_CERT_REVOKED', 'peer-revoked'],
  [-362, 'CRL_MISSING', 'crl-missing'],
  [-381, 'UNKNOWN_SNI_HOST_NAME_E', 'name-not-served'],
  [-383, 'KEYUSE_SIGNATURE_E', 'peer-usage'],
  [-386, 'EXTKEYUSE_AUTH_E', 'peer-usage'],
  [-397, 'SOCKET_PEER_CLOSED_E', 'closed-early'],
  [-404, 'HANDSHAKE_SIZE_ERROR', 'record-large'],
  [-405, 'UNKNOWN_ALPN_PROTOCOL_NAME_E', 'no-common-protocol'],
  [-409, 'RSA_KEY_SIZE_E', 'peer-key-weak'],
  [-410, 'ECC_KEY_SIZE_E', 'peer-key-weak'],
  [-501, 'MATCH_SUITE_ERROR', 'no-common-cipher'],
]

/** An error of wolfSSL by its number, negative as it is returned; null for one that is not known here. */
export function wolfsslError(number: number): readonly [name: string, symptom: Symptom] | null {
  const found = errors.find(([known]) => known === number)
  return found === undefined ? null : [found[1], symptoms[found[2]]]
}

export const wolfssl: Source = {
  name: 'wolfSSL',
  phrases: [
    [/\bwolfSSL[^\n-]{0,60}(-\d{3})\b/i, (match) => wolfsslError(numberIn(match))?.[1] ?? null],
    [/\bwolfSSL last alert received: level \d, code (\d{1,3})\b/, (match) => alertSymptom(numberIn(match))],
    [/\bASN no signer error to confirm failure\b/, 'peer-issuer-unknown'],
    [/\bASN date error, current date after\b/, 'peer-expired'],
    [/\bASN date error, current date before\b/, 'peer-early'],
    [/\bASN sig error, confirm failure\b/, 'peer-signature-wrong'],
    [/\bASN self-signed certificate error\b/, 'peer-self-signed'],
    [/\bpeer subject name mismatch\b|\bpeer ip address mismatch\b/i, 'peer-name', 'client'],
    [/\breceived alert fatal error\b/, 'alert-received'],
    [/\bExt Key Use server\/client auth not set Error\b/i, 'peer-usage'],
    [/\bPeer closed underlying transport Error\b/, 'closed-early'],
    [/\bcan't match cipher suite\b/i, 'no-common-cipher'],
  ],
}

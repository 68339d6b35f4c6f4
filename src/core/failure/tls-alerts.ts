/**
 * The alerts of TLS by their numbers (RFC 8446 §6, RFC 5246 §7.2, RFC 6066 §9; the registry "TLS Alerts" of IANA). A number is all
 * that the other side learns of a refusal, and for most it has one of these names.
 */

/** Every alert that a peer may send, in the spelling of the standards. */
export const tlsAlerts = {
  0: 'close_notify',
  10: 'unexpected_message',
  20: 'bad_record_mac',
  21: 'decryption_failed',
  22: 'record_overflow',
  30: 'decompression_failure',
  40: 'handshake_failure',
  41: 'no_certificate',
  42: 'bad_certificate',
  43: 'unsupported_certificate',
  44: 'certificate_revoked',
  45: 'certificate_expired',
  46: 'certificate_unknown',
  47: 'illegal_parameter',
  48: 'unknown_ca',
  49: 'access_denied',
  50: 'decode_error',
  51: 'decrypt_error',
  60: 'export_restriction',
  70: 'protocol_version',
  71: 'insufficient_security',
  80: 'internal_error',
  86: 'inappropriate_fallback',
  90: 'user_canceled',
  100: 'no_renegotiation',
  109: 'missing_extension',
  110: 'unsupported_extension',
  111: 'certificate_unobtainable',
  112: 'unrecognized_name',
  113: 'bad_certificate_status_response',
  114: 'bad_certificate_hash_value',
  115: 'unknown_psk_identity',
  116: 'certificate_required',
  120: 'no_application_protocol',
  121: 'ech_required',
} as const

/** The number of an alert of TLS. */
export type TlsAlert = keyof typeof tlsAlerts

/** True when a number from outside is that of an alert. */
export function isTlsAlert(number: number): number is TlsAlert {
  return Object.hasOwn(tlsAlerts, number)
}

/**
 * The alert of a name, in whatever spelling a program prints it: "unknown_ca", "UNKNOWN_CA", "unknown ca".
 *
 * @returns null when no alert has this name
 */
export function tlsAlertNamed(name: string): TlsAlert | null {
  const wanted = name.trim().toLowerCase().replaceAll(/[ -]/g, '_')
  for (const [number, known] of Object.entries(tlsAlerts)) if (known === wanted) return Number(number) as TlsAlert
  return null
}

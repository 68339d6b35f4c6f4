/** HF-35xx: what others ask about certificates. */
import { entry } from '../failure.ts'

export const statusFailures = {
  'ocsp-request-unreadable': entry(
    'HF-3501',
    'certificate',
    'device',
    'malformed',
    'cause',
    'the OCSP request is not well-formed, or asks for more than is answered',
    'ask as RFC 9919 says: DER, SHA-256 or SHA-1, one certificate, a nonce of 1 to 128 octets or none',
    { clause: 'RFC 6960 §4.1' },
  ),
} as const

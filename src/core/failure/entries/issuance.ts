/** HF-344x: certificates that an operator orders, and the files that they are handed out in. */
import { entry } from '../failure.ts'

export const issuanceFailures = {
  'key-passphrase-unusable': entry(
    'HF-3440',
    'enrolment',
    'operator',
    'local',
    'general',
    'the passphrase cannot protect a key file that every reader opens',
    'take 8 to 64 printable ASCII characters, or leave the passphrase to Handfast',
  ),
  'server-certificate-unusable': entry(
    'HF-3441',
    'hub',
    'operator',
    'local',
    'general',
    'the server certificate that the operator brings cannot be used (--tls-cert, --tls-key)',
    'give the chain in PEM, the certificate first, and its key, for a DNS name that devices do not use',
  ),
} as const

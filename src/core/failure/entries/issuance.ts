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
    'take 8 to 64 printable ASCII characters',
  ),
  'names-differ': entry(
    'HF-3445',
    'enrolment',
    'operator',
    'conflict',
    'general',
    'the identity is registered with other names than those that were given',
    'change its names with `handfast service set`, give --id alone to take those it has, or choose another --id',
  ),
  'files-exist': entry(
    'HF-3442',
    'enrolment',
    'operator',
    'local',
    'general',
    'files of that name are there already, perhaps the only copy of a key',
    'name another folder with --out, or add --force to replace them',
  ),
  'files-unwritable': entry(
    'HF-3443',
    'enrolment',
    'operator',
    'local',
    'general',
    'key and certificate cannot be written where they are wanted',
    'name a folder that you can write to with --out',
  ),
  'identity-of-hub': entry(
    'HF-3444',
    'api',
    'operator',
    'conflict',
    'general',
    'the identity of the hub itself is kept by the hub',
    'choose another id; a single certificate of its listeners can be revoked, and the hub replaces it',
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

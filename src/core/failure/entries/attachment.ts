/** HF-76xx: the credential of a device in connections of other programs: attachment and local proxy. */
import { entry } from '../failure.ts'

export const attachmentFailures = {
  'attachment-misconfigured': entry(
    'HF-7601',
    'tls',
    'operator',
    'invalid',
    'cause',
    'the settings of the attachment cannot be used',
    'set HANDFAST_DEVICE_DIR to the folder of the credential, and HANDFAST_ATTACH_HOSTS to names or addresses',
  ),
  'attachment-unverified': entry(
    'HF-7602',
    'tls',
    'device',
    'unauthenticated',
    'cause',
    'the application verifies no certificate of this host (rejectUnauthorized: false)',
    'take that option out of the application: the roots of the hub are at hand',
  ),
  'attachment-host-unknown': entry(
    'HF-7603',
    'tls',
    'operator',
    'local',
    'cause',
    'it is not known which hosts are to see the certificate',
    'name them in HANDFAST_ATTACH_HOSTS',
  ),
} as const

/** HF-340x: signing. */
import { entry } from '../failure.ts'

export const signingFailures = {
  'certificate-lint-failed': entry(
    'HF-3400',
    'enrolment',
    'operator',
    'conflict',
    'general',
    'a certificate was about to be signed that breaks a rule, and was not signed',
    'change what the message names in the profile or the order; where it comes from neither, report it',
    { clause: 'RFC 5280 §4' },
  ),
  'issuance-lapsed': entry(
    'HF-3401',
    'enrolment',
    'hub',
    'unavailable',
    'general',
    'a certificate took so long from plan to answer that it was given up, and is revoked',
    'ask again; if it lasts, see the log of the hub for what keeps its registry busy',
  ),
} as const

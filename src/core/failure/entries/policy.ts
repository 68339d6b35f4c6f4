/** HF-4xxx: policy. */
import { entry } from '../failure.ts'

export const policyFailures = {
  'publish-denied': entry(
    'HF-4101',
    'policy',
    'device',
    'forbidden',
    'cause',
    'the identity may not publish to this topic',
    'publish below devices/<id>/ with the id of the certificate',
  ),
  'subscribe-denied': entry(
    'HF-4102',
    'policy',
    'device',
    'forbidden',
    'cause',
    'the identity may not subscribe to this filter',
    'subscribe below devices/<id>/ with the id of the certificate',
  ),
  'will-denied': entry(
    'HF-4103',
    'policy',
    'device',
    'forbidden',
    'cause',
    'the identity may not publish to the topic of its will',
    'set a will topic below devices/<id>/ with the id of the certificate',
  ),
} as const

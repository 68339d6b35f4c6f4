/** Refusals of certificates that the registry does not hold. */
import type { FailureName } from '../failure/catalogue.ts'

/** Other ways than the registry may be open to what is refused by one of these: a pin, a trust anchor. */
export const strangerFailures = [
  'certificate-self-signed',
  'certificate-named-like-issuer',
  'certificate-foreign-authority',
  'certificate-is-authority',
  'certificate-unknown-serial',
  'certificate-of-retired-authority',
  'certificate-of-namesake',
  'certificate-forged',
] as const satisfies readonly FailureName[]

/** No way is open to what is refused by one of these. */
export const hopelessFailures = [
  'certificate-unreadable',
  'authority-key-elsewhere',
] as const satisfies readonly FailureName[]

/** Enrolment, approval and renewal. */
export const enrolmentLimits = {
  /** A request body on the EST listener: a PKCS#10 with an RSA-4096 key takes 2 KiB in base64. */
  estBodyBytesMax: 16 * 1024,
  /** The name of a certificate in a question about its renewal: two parts of at most 20 octets in base64url, and room. */
  renewalCertificateIdCharsMax: 128,
  /** Credentials that one transaction of the renewal sweep ends; what is left waits for the next. */
  renewalSweepRows: 100,
  /** Requests of one token or one identity for certificates, at once: a lost answer and a poll or two, many times over. */
  enrolmentsAtOnceMax: 30,
  /** And then one in this time: a device that asks in a loop of 4 s is slowed down thirtyfold. */
  enrolmentEveryMs: 120_000,
  /** Tokens and identities whose requests are remembered for that. */
  enrolmentAskersMax: 50_000,
  /** How long a key waits for an operator's approval, and how long what was decided is good after it, in seconds. */
  enrolmentRequestWaitsSec: 7 * 86_400,
  /** Keys that wait for one identity at a time: its own, and a few mistakes. */
  enrolmentRequestsPerIdentityMax: 4,
  /** How long requests for approval are kept, decided or not, in seconds. */
  enrolmentRequestsKeptSec: 30 * 86_400,
  /** Requests for approval that are removed in one transaction. */
  enrolmentRequestsRemovedMax: 500,
  /** After what time a device that waits for approval asks again at first, while somebody may be standing beside it, in seconds. */
  enrolmentPollSoonSec: 15,
  /** For how long at first, in seconds: with the requests that a token has at once it is enough. */
  enrolmentPollSoonForSec: 300,
  /** After what time it asks later on, in seconds: as often as a token may. */
  enrolmentPollSec: 120,
} as const

/** Limits of the device side, with unit and reason. They are apart from the hub's: a device trusts its hub no further. */
export const deviceLimits = {
  /** Time for name, TCP and TLS of one connection: a loaded hub and a radio link with losses fit. */
  connectMs: 20_000,
  /** Time from a request to the whole answer: the hub signs and syncs to disk in between. */
  answerMs: 30_000,
  /** An EST answer: three certificates with RSA-4096 keys take 8 KiB in base64. */
  answerBytesMax: 64 * 1024,
  /** Certificates in one EST answer. */
  certificatesMax: 16,
  /** Certificates between the device's own and the root. */
  intermediatesMax: 3,
  /** How long a device asks on while an operator has not decided: as long as a hub keeps the question. */
  approvalWaitMs: 7 * 86_400_000,
  /** Seconds between two such requests, whatever the hub says: it is not asked in a loop, */
  approvalPollSecMin: 5,
  /** and an approval is noticed within the hour. */
  approvalPollSecMax: 3_600,
  /** Between two tries to renew, where the life is long enough for it: a hub that refuses is not asked in a loop. */
  renewalRetryMsMin: 60_000,
  /** The agent looks at clock and certificate at least as often: a clock that is set must not be noticed months later. */
  agentLookMsMax: 3_600_000,
  /** A command of a hook; a service that restarts slowly fits. */
  hookMs: 120_000,
  /** What is kept of what a hook printed, in characters. */
  hookTextCharsMax: 2_000,
  /** Roots that a device keeps at one time: two of each chain while one is changed. */
  rootsMax: 8,
  /** Hosts, or patterns of them, that are shown the certificate: a device talks to a hub or two. */
  attachHostsMax: 64,
  /** A file in the credential folder. */
  fileBytesMax: 64 * 1024,
  /** The kept time is written again when it is so much behind: a flash memory bears some 10,000 writes of a block. */
  goodTimeStepMs: 3_600_000,
  /** Who watches a store looks by himself as often, where the system tells of no change. */
  storeLookMs: 10_000,
  /** A bootstrap string: the longest host name, id and token together stay below 600. */
  bootstrapCharsMax: 2_048,
  /** What an answer may say in an error message, in characters. */
  toldCharsMax: 500,
} as const

/** The record of attempts. */
export const attemptLimits = {
  /** A session whose packets are denied again and again is an attempt that often for each kind of denial; all are counted. */
  denialSampledEveryMs: 60_000,
  /** Attempts kept in the registry; the oldest go first. */
  attemptsKeptMax: 100_000,
  /** Characters of a subject or issuer that an attempt keeps of a stranger's certificate, which may be 16 KiB of name. */
  attemptNameCharsMax: 256,
  /** Attempts that wait to be written; past it they are counted, not kept. */
  attemptsWaitingMax: 10_000,
  /** Attempts written in a second, a flood of refusals must not starve the registry. */
  attemptsPerSecondMax: 2_000,
} as const

/** Passwords of clients, and the slow comparison of them. */
export const passwordLimits = {
  /** A password that an operator brings; those that the hub makes have 24 characters of 6 bits. */
  passwordCharsMin: 12,
  passwordCharsMax: 128,
  /** Passwords of an identity that connect at one time: the one in use, and what follows it or went before it. */
  passwordsStandingMax: 2,
  /** Slow comparisons of passwords at one time: each takes a thread and 16 MiB. */
  passwordChecksAtOnceMax: 2,
  /** Passwords that wait for that: at 40 ms each what a device has patience for. */
  passwordChecksWaitingMax: 500,
  /** Of them from one address (64 bits of an IPv6 one), as long as nothing was right there: no stranger fills the queue alone. */
  passwordChecksOfSourceMax: 8,
  /** Right passwords that are known without the slow comparison, and where they were right. */
  passwordsRememberedMax: 100_000,
} as const

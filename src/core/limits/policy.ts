/** Policies, their files and their versions. */
export const policyLimits = {
  /** A policy file: 10,000 statements of two hundred characters each. It stands in the events, so that a restore knows it. */
  policyBytesMax: 2 * 1024 * 1024,
  /** A policy file that is read while everything else waits, some hundredths of a second; a longer one has a thread of its own. */
  policyReadAtOnceBytesMax: 32 * 1024,
  /** Time for that thread: the longest file takes a second or two. */
  policyReadMs: 30_000,
  /** Heap of that thread, in MiB: the longest file takes a quarter of it. */
  policyReadHeapMebibytesMax: 512,
  /** Policy files that stay read, the latest: one that is tried is made active next. */
  policiesReadKeptMax: 2,
  /** How long expectations are tried before whatever waits has its turn. */
  policyTriedForMs: 10,
  /** Roles that one policy writes. */
  policyRolesMax: 1_000,
  /** Statements of one role; a policy may consist of one. */
  policyStatementsMax: 10_000,
  /** Versions of the policy that are kept; the oldest that are not in use go first. */
  policiesKeptMax: 100,
  /** Differences of one version in the shadow that a hub keeps to be looked at, each some hundred bytes; the rest is counted. */
  shadowDifferencesKeptMax: 1_000,
  /** Characters that are kept of its topic and of each reason; the rest is cut. */
  shadowTextCharsMax: 512,
  /** Versions whose differences it keeps. */
  shadowVersionsKeptMax: 4,
  /** A note beside a version of the policy. */
  policyNoteCharsMax: 200,
} as const

/** Logs, figures and answers about the state of the hub. */
export const watchingLimits = {
  /** Time in which lines of one message are counted together, so that no flood of refusals becomes one of log lines. */
  logWindowMs: 10_000,
  /** Log lines of one message in that time; what is over is counted, and the count is told. */
  logLinesMax: 20,
  /** The same for lines of the level debug, where somebody wants to see more. */
  logDebugLinesMax: 500,
  /** Revocations whose way to a target is timed at one time; what is over is applied and not timed. */
  revocationsTimedMax: 10_000,
  /** Time for which a count of the whole registry is good: on half a million certificates it takes 60 ms of CPU. */
  countsKeptMs: 60_000,
  /** Time for which an answer of `/metrics` or `/readyz` is good, so that asking often costs no more. */
  answerKeptMs: 1_000,
  /** Time for the registry to answer when figures or readiness are asked for; after it they go without. */
  figuresMs: 2_000,
  /** Problems of one kind that a check of the registry tells; the rest are counted. */
  findingsPerRuleMax: 20,
} as const

/** Logs that are handed to the doctor. */
export const doctorLogLimits = {
  /** Longest part of a line of a log that is looked at, in characters: programs say what failed at its beginning. */
  doctorLogLineLengthMax: 4_096,
  /** Lines of a log that are looked at, the last ones. */
  doctorLogLinesMax: 20_000,
  /** Different causes and vague signs of one log that are told; the first ones, since a fault repeats itself. */
  doctorLogExaminationsMax: 40,
} as const

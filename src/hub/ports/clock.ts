/** The time as the hub sees it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number
}

/** Whole seconds since the epoch, rounded down: the unit of certificates. */
export function nowSec(clock: Clock): number {
  return Math.floor(clock.nowMs() / 1000)
}

import type { Clock } from '../hub/ports/clock.ts'

/** Longest sleep between two looks at the clock: a clock that was set is noticed within it, and timers hold no longer than 24.8 days. */
const SLEEP_MS_MAX = 600_000

/**
 * Calls back once when the clock reaches a time, however far away it is.
 *
 * @param atMs milliseconds since the epoch
 * @returns the way to give it up
 */
export function startDeadline(clock: Clock, atMs: number, reached: () => void): () => void {
  let timer: NodeJS.Timeout | undefined
  const look = () => {
    const leftMs = atMs - clock.nowMs()
    if (leftMs <= 0) reached()
    else timer = setTimeout(look, Math.min(leftMs, SLEEP_MS_MAX)).unref()
  }
  look()
  return () => clearTimeout(timer)
}

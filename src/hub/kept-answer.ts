/** An answer that is made at most once in a while, however often it is asked for. */
import type { Clock } from './ports/clock.ts'

/**
 * @param keptMs how long an answer is good, counted from when it was asked for
 * @param make asked again only when its last answer has come and is old; one that it could not give is not kept
 */
export function keptAnswer<T>(clock: Clock, keptMs: number, make: () => Promise<T>): () => Promise<T> {
  let kept: { readonly atMs: number; readonly answer: Promise<T>; isPending: boolean } | null = null
  return () => {
    const nowMs = clock.nowMs()
    // A clock that was set back must not make an answer last a year.
    if (kept !== null && (kept.isPending || Math.abs(nowMs - kept.atMs) < keptMs)) return kept.answer
    const asked = { atMs: nowMs, answer: make(), isPending: true }
    kept = asked
    asked.answer.then(
      () => {
        asked.isPending = false
      },
      () => {
        if (kept === asked) kept = null
      },
    )
    return asked.answer
  }
}

/**
 * The answer if it comes in time.
 *
 * @throws HubError of the work; what `late` makes when `ms` have passed
 */
export async function inTime<T>(work: Promise<T>, ms: number, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late()), ms)
  })
  try {
    return await Promise.race([work, deadline])
  } finally {
    clearTimeout(timer)
  }
}

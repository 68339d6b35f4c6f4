/**
 * The candidate that somebody who typed `word` most likely meant, or null when none is near: at most `distanceMax` typing
 * slips away and fewer than half its letters wrong. Among equals the first.
 *
 * @param distanceMax slips that are still forgiven, 1 or more
 */
export function nearest(word: string, candidates: readonly string[], distanceMax = 3): string | null {
  let best: string | null = null
  let bestDistance = distanceMax + 1
  for (const candidate of candidates) {
    const distance = slipsBetween(word, candidate)
    if (distance < bestDistance && distance * 2 < Math.max(candidate.length, 2)) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** Longest word that is compared at all: the work grows with the square of it. */
const wordCharsMax = 64

/** Letters to add, drop, replace or swap with their neighbour to turn one word into the other (optimal string alignment). */
function slipsBetween(a: string, b: string): number {
  if (a.length > wordCharsMax || b.length > wordCharsMax) return Number.POSITIVE_INFINITY
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const differs = a[row - 1] === b[column - 1] ? 0 : 1
      let slips = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + differs)
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (swapped) slips = Math.min(slips, (beforeLast[column - 2] ?? 0) + 1)
      current.push(slips)
    }
    beforeLast = last
    last = current
  }
  return last[b.length] ?? 0
}

/** Numbers about numbers. Each function wants at least one value. */

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: percentile(values, 50), min: Math.min(...values), max: Math.max(...values) }
}

/** The value at a rank, between its neighbours where the rank falls between two. @param rank 0 to 100 */
export function percentile(values: readonly number[], rank: number): number {
  const sorted = ascending(values)
  const place = ((sorted.length - 1) * rank) / 100
  const below = sorted[Math.floor(place)] ?? 0
  const above = sorted[Math.ceil(place)] ?? below
  return below + (above - below) * (place - Math.floor(place))
}

export interface MedianInterval {
  readonly low: number
  readonly high: number
  /** How often such an interval holds the median of what was drawn from, 0 to 1. */
  readonly confidence: number
}

/**
 * The interval of the median by order statistics: the k-th smallest and the k-th greatest value, with the greatest k that
 * still gives the confidence asked for. It supposes that the values are independent, and nothing about their distribution.
 * Where even all values are too few (fewer than 6 for 0.95), it is the least and the greatest, with the confidence they give.
 */
export function medianInterval(values: readonly number[], confidence = 0.95): MedianInterval {
  const sorted = ascending(values)
  const count = sorted.length
  // The chance that the median lies below the k-th smallest is that of fewer than k heads in as many tosses of a coin.
  let outside = 2 * 0.5 ** count
  let ways = 1
  let k = 1
  for (; 2 * (k + 1) <= count; k++) {
    ways = (ways * (count - k + 1)) / k
    const wider = outside + 2 * ways * 0.5 ** count
    if (1 - wider < confidence) break
    outside = wider
  }
  return { low: sorted[k - 1] ?? 0, high: sorted[count - k] ?? 0, confidence: Math.max(0, 1 - outside) }
}

function ascending(values: readonly number[]): readonly number[] {
  if (values.length === 0) throw new Error('statistics of nothing')
  return [...values].sort((a, b) => a - b)
}

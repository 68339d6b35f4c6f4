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
  if (values.length === 0) throw new Error('a percentile of nothing')
  const sorted = [...values].sort((a, b) => a - b)
  const place = ((sorted.length - 1) * rank) / 100
  const below = sorted[Math.floor(place)] ?? 0
  const above = sorted[Math.ceil(place)] ?? below
  return below + (above - below) * (place - Math.floor(place))
}

/** Spans of time in the words in which people count them. */

const units = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const

/** Such as "3 days" or "1 hour": whole units, rounded down, of the largest that fits once. @param seconds not negative */
export function spanText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const [unit, size] = units.find(([, each]) => whole >= each) ?? ['second', 1]
  const count = Math.floor(whole / size)
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

/** Such as "2026-11-25 16:00:00Z". */
export function timeText(epochSec: number): string {
  return new Date(epochSec * 1000).toISOString().replace('T', ' ').replace('.000Z', 'Z')
}

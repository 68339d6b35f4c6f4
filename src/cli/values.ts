/** Values of options, read from text. */
import { HubError, quote } from '../core/errors.ts'

const unitSec: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

/**
 * Whole seconds of a duration such as `90s`, `30m`, `24h`, `7d`.
 *
 * @throws HubError `usage`
 */
export function parseDurationSec(text: string): number {
  const match = /^([0-9]{1,9})([smhd])$/.exec(text)
  if (match === null) throw refusal(text, 'a duration', 'write it as in 90s, 30m, 24h or 7d')
  return Number(match[1]) * (unitSec[match[2] ?? ''] ?? 0)
}

/**
 * A whole number within a range, both ends included.
 *
 * @throws HubError `usage`
 */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw refusal(text, `a whole number from ${min} to ${max}`, 'correct the value; see --help')
  }
}

/**
 * Adds `name=value` to the attributes read before.
 *
 * @throws HubError `usage`
 */
export function collectAttribute(
  text: string,
  before: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const at = text.indexOf('=')
  if (at < 1) throw refusal(text, 'an attribute', 'write it as name=value')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

function refusal(text: string, what: string, hint: string): HubError {
  return new HubError('usage', `${quote(text)} is not ${what}`, { hint })
}

/** Values of options, read from text. Each reader is made for one option, which its refusals name. */

import { HubError, quote } from '../core/errors.ts'
import { keyStorages } from '../core/identity/identity.ts'
import { nearest } from '../core/nearest.ts'

const unitSec: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

/**
 * Reads whole seconds of a duration such as `90s`, `30m`, `24h`, `7d`.
 *
 * @param option as it is typed, `--token-ttl`
 * @param shortest the bounds, both included, in the form that is read
 * @throws HubError `usage`, from the reader
 */
export function duration(option: string, shortest: string, longest: string): (text: string) => number {
  const [minSec, maxSec] = [secondsOf(shortest), secondsOf(longest)]
  return (text) => {
    const seconds = secondsOf(text)
    if (Number.isNaN(seconds)) throw refusal(option, text, 'is not a duration', 'write it as in 90s, 30m, 24h or 7d')
    if (seconds >= minSec && seconds <= maxSec) return seconds
    const fault = seconds < minSec ? 'is too short' : 'is too long'
    throw refusal(option, text, `${fault}: give ${shortest} to ${longest}`)
  }
}

/**
 * Reads a time that has passed: a duration back from now such as `2h`, or a time of ISO 8601 with its zone.
 *
 * @param nowMs the clock of this machine
 * @returns from the reader: ISO 8601 in UTC
 * @throws HubError `usage`, from the reader
 */
export function pastTime(option: string, nowMs: () => number = Date.now): (text: string) => string {
  return (text) => {
    const backSec = secondsOf(text)
    const isTime = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2})$/.test(text)
    const ms = isTime ? Date.parse(text) : Math.max(0, nowMs() - backSec * 1000)
    if (Number.isNaN(ms)) {
      throw refusal(option, text, 'is not a time', 'write it as in 90s, 30m, 2h or 7d, or as 2026-11-25T08:00:00Z')
    }
    return new Date(ms).toISOString()
  }
}

/** NaN for a text that is no duration. */
function secondsOf(text: string): number {
  const match = /^([0-9]{1,9})([smhd])$/.exec(text)
  return match === null ? Number.NaN : Number(match[1]) * (unitSec[match[2] ?? ''] ?? Number.NaN)
}

/**
 * Reads a whole number within a range, both ends included.
 *
 * @throws HubError `usage`, from the reader
 */
export function wholeNumber(option: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw refusal(option, text, `is not a whole number from ${min} to ${max}`)
  }
}

/** A reader that knows all the words it takes, so that a shell can complete them. */
export interface WordReader<Word> {
  (text: string): Word
  readonly words: readonly string[]
}

/**
 * Reads one of a few words.
 *
 * @throws HubError `usage`, from the reader
 */
export function oneOf<Word extends string>(option: string, words: readonly Word[]): WordReader<Word> {
  const read = (text: string): Word => {
    const word = words.find((each) => each === text)
    if (word !== undefined) return word
    const meant = nearest(text, words)
    throw refusal(
      option,
      text,
      `is not one of ${words.join(', ')}`,
      meant === null ? undefined : `did you mean ${meant}?`,
    )
  }
  return Object.assign(read, { words })
}

/** Reads where a key lives. */
export const parseKeyStorage = oneOf('--key-storage', keyStorages)

/** Adds a value to those read before, for an option that may be repeated. */
export function collected(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}

/**
 * Adds `name=value` to the attributes read before.
 *
 * @throws HubError `usage`
 */
/** Collects the values of an option that may be repeated. */
export function collectWord(word: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), word]
}

export function collectAttribute(
  text: string,
  before: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const at = text.indexOf('=')
  if (at < 1) throw refusal('--attr', text, 'is not an attribute', 'write it as name=value')
  const name = text.slice(0, at)
  if (before !== undefined && Object.hasOwn(before, name)) {
    throw refusal('--attr', text, `gives ${quote(name)} again`, 'give each attribute once')
  }
  return { ...before, [name]: text.slice(at + 1) }
}

function refusal(option: string, text: string, fault: string, hint?: string): HubError {
  return new HubError('usage', `${option} ${quote(text)} ${fault}`, hint === undefined ? {} : { hint })
}

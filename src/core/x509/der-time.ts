/** UTCTime and GeneralizedTime in the one form that RFC 5280 §4.1.2.5 allows: seconds, no fraction, `Z`. */
import { assert } from '../errors.ts'
import { tags } from './der-tags.ts'

/** First second of 2050, where GeneralizedTime begins. */
const generalizedFromSec = Date.UTC(2050, 0, 1) / 1000
const firstUtcSec = Date.UTC(1950, 0, 1) / 1000
const lastSec = Date.UTC(9999, 11, 31, 23, 59, 59) / 1000

/** The longest time element: GeneralizedTime with its header. */
export const timeElementBytesMax = 17

/** The element for a second between 1950 and 9999. */
export function timeElement(epochSec: number): Uint8Array {
  const bytes = new Uint8Array(timeElementBytesMax)
  return bytes.subarray(0, writeTimeElement(bytes, 0, epochSec))
}

/** A GeneralizedTime whatever the year, as OCSP wants it (RFC 6960 §4.2.2.1), for a second between 1950 and 9999. */
export function generalizedTimeElement(epochSec: number): Uint8Array {
  const bytes = new Uint8Array(timeElementBytesMax)
  return bytes.subarray(0, writeTimeElement(bytes, 0, epochSec, true))
}

/** Writes the element into `target` and returns the offset behind it. */
export function writeTimeElement(
  target: Uint8Array,
  offset: number,
  epochSec: number,
  alwaysGeneralized = false,
): number {
  assert(
    Number.isInteger(epochSec) && epochSec >= firstUtcSec && epochSec <= lastSec,
    'a time is whole seconds, 1950 to 9999',
  )
  const { year, month, day } = civilDate(Math.floor(epochSec / 86_400))
  const secOfDay = epochSec - Math.floor(epochSec / 86_400) * 86_400
  const generalized = alwaysGeneralized || epochSec >= generalizedFromSec
  target[offset] = generalized ? tags.generalizedTime : tags.utcTime
  target[offset + 1] = generalized ? 15 : 13
  let at = offset + 2
  if (generalized) at = writeTwoDigits(target, at, Math.floor(year / 100))
  at = writeTwoDigits(target, at, year % 100)
  at = writeTwoDigits(target, at, month)
  at = writeTwoDigits(target, at, day)
  at = writeTwoDigits(target, at, Math.floor(secOfDay / 3600))
  at = writeTwoDigits(target, at, Math.floor(secOfDay / 60) % 60)
  at = writeTwoDigits(target, at, secOfDay % 60)
  target[at] = 0x5a
  return at + 1
}

/** Whole seconds since the epoch of the text in a time element, or null where it is not a time in the allowed form. */
export function parseTime(tag: number, text: string): number | null {
  const pattern = tag === tags.utcTime ? /^\d{12}Z$/ : tag === tags.generalizedTime ? /^\d{14}Z$/ : null
  if (pattern === null || !pattern.test(text)) return null
  const yearDigits = tag === tags.utcTime ? 2 : 4
  const written = Number(text.slice(0, yearDigits))
  const year = yearDigits === 4 ? written : written >= 50 ? 1900 + written : 2000 + written
  const at = (index: number): number => Number(text.slice(yearDigits + 2 * index, yearDigits + 2 * index + 2))
  const date = new Date(0)
  date.setUTCFullYear(year, at(0) - 1, at(1))
  date.setUTCHours(at(2), at(3), at(4))
  const real =
    date.getUTCFullYear() === year &&
    date.getUTCMonth() === at(0) - 1 &&
    date.getUTCDate() === at(1) &&
    date.getUTCHours() === at(2) &&
    date.getUTCMinutes() === at(3) &&
    date.getUTCSeconds() === at(4)
  return real ? date.getTime() / 1000 : null
}

interface CivilDate {
  readonly year: number
  readonly month: number
  readonly day: number
}

let cachedDay = Number.NaN
let cachedDate: CivilDate = { year: 1970, month: 1, day: 1 }

/** The date of a day counted from the epoch. The last answer is kept: entries of a CRL come in runs of one day. */
function civilDate(epochDay: number): CivilDate {
  if (epochDay !== cachedDay) {
    const date = new Date(epochDay * 86_400_000)
    cachedDate = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() }
    cachedDay = epochDay
  }
  return cachedDate
}

function writeTwoDigits(target: Uint8Array, offset: number, value: number): number {
  target[offset] = 0x30 + Math.floor(value / 10)
  target[offset + 1] = 0x30 + (value % 10)
  return offset + 2
}

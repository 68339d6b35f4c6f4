/** Times of day, days of the week and dates at which a statement counts, in the zone that the policy names. */
import type { TimeWindow } from './model.ts'

const minuteMs = 60_000
const dayMinutes = 24 * 60
/**
 * How long an answer about times of day is good at most: where clocks are changed, a window opens or closes an hour off what
 * was reckoned before.
 */
const askedAgainMs = 15 * minuteMs

/** Whether a moment lies in a window. Both dates are inclusive; `from` of the day is, `until` is not. */
export function isWithin(window: TimeWindow, nowMs: number): boolean {
  const { notBeforeMs, notAfterMs, daily, weekdays } = window
  if (notBeforeMs !== null && nowMs < notBeforeMs) return false
  if (notAfterMs !== null && nowMs > notAfterMs) return false
  if (daily === null && weekdays.length === 0) return true
  const { minute, weekday } = localTime(window.zone, nowMs)
  if (daily === null) return weekdays.includes(weekday)
  const { fromMinute, untilMinute } = daily
  if (fromMinute <= untilMinute) return minute >= fromMinute && minute < untilMinute && isDay(weekdays, weekday)
  // A night belongs to the day on which it begins.
  if (minute >= fromMinute) return isDay(weekdays, weekday)
  return minute < untilMinute && isDay(weekdays, (weekday + 6) % 7)
}

/** A moment at or before which {@link isWithin} may answer otherwise; null when it never will. */
export function mayChangeAtMs(window: TimeWindow, nowMs: number): number | null {
  const { notBeforeMs, notAfterMs, daily, weekdays, zone } = window
  const moments: number[] = []
  if (notBeforeMs !== null && nowMs < notBeforeMs) moments.push(notBeforeMs)
  if (notAfterMs !== null && nowMs <= notAfterMs) moments.push(notAfterMs + 1)
  if (daily !== null || weekdays.length > 0) {
    const { minute } = localTime(zone, nowMs)
    const ends = daily === null ? [0] : [0, daily.fromMinute, daily.untilMinute]
    const minutes = Math.min(...ends.map((end) => (end - minute + dayMinutes) % dayMinutes || dayMinutes))
    const startOfMinute = Math.floor(nowMs / minuteMs) * minuteMs
    moments.push(Math.min(startOfMinute + minutes * minuteMs, nowMs + askedAgainMs))
  }
  return moments.length === 0 ? null : Math.min(...moments)
}

function isDay(weekdays: readonly number[], weekday: number): boolean {
  return weekdays.length === 0 || weekdays.includes(weekday)
}

/** Making one takes a tenth of a millisecond. */
const formats = new Map<string, Intl.DateTimeFormat>()
const weekdayNames = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

function localTime(zone: string, nowMs: number): { readonly minute: number; readonly weekday: number } {
  let format = formats.get(zone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      ...{ timeZone: zone, hourCycle: 'h23', weekday: 'short', hour: '2-digit', minute: '2-digit' },
    })
    formats.set(zone, format)
  }
  const parts = new Map(format.formatToParts(nowMs).map(({ type, value }) => [type, value]))
  return {
    minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')),
    weekday: weekdayNames.indexOf(parts.get('weekday') ?? ''),
  }
}

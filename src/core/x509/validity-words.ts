/** A certificate's dates in words, with how far they are off: a skew of seconds is a clock, one of days is not. */

/** As in "expired 3 days ago, at 2026-11-22T10:00:00Z". */
export function expiryWords(notAfterSec: number, nowSec: number): string {
  return `expired ${span(nowSec - notAfterSec)} ago, at ${instant(notAfterSec)}`
}

/** As in "becomes valid only in 2 h, at 2026-11-25T14:00:00Z". */
export function beginWords(notBeforeSec: number, nowSec: number): string {
  return `becomes valid only in ${span(notBeforeSec - nowSec)}, at ${instant(notBeforeSec)}`
}

/** Whichever of both is so; null where a certificate is in date. */
export function dateWords(
  { notBeforeSec, notAfterSec }: { readonly notBeforeSec: number; readonly notAfterSec: number },
  nowSec: number,
): string | null {
  if (nowSec < notBeforeSec) return beginWords(notBeforeSec, nowSec)
  return nowSec > notAfterSec ? expiryWords(notAfterSec, nowSec) : null
}

/** A second as ISO 8601; those that no calendar reaches are numbers. */
export function instant(sec: number): string {
  const date = new Date(sec * 1000)
  return Number.isNaN(date.getTime()) ? `${sec} s` : date.toISOString().replace('.000', '')
}

function span(seconds: number): string {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`
  return `${Math.round(seconds / 86_400)} days`
}

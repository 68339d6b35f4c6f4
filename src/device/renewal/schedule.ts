/**
 * When a device renews: at the hub's hint, or at two thirds of the life, spread by who the device is; and when it tries again,
 * closer together as the end comes near. Pure: dates in, dates out, in milliseconds since the epoch.
 */
import { createHash } from 'node:crypto'
import { deviceLimits as limits } from '../limits.ts'

/** A certificate's life as its device knows it. */
export interface Life {
  /** When the device got it: a backdated beginning is no time lived. Null where nobody noted it. */
  readonly obtainedAtMs: number | null
  readonly notBeforeMs: number
  /** The last good millisecond. */
  readonly notAfterMs: number
}

/** What the hub said about when to come (RFC 9773 §4.2). */
export interface Hint {
  readonly fromMs: number
  readonly untilMs: number
}

/** Tries that failed since the certificate came. */
export interface Tries {
  readonly failures: number
  readonly lastMs: number
  /** How long the hub asked to be left alone, where it did. */
  readonly retryAfterMs: number | null
}

const twoThirds = 2 / 3
const spread = 1 / 10
/** The part of the life, at its end, that is kept for tries. */
const partForTries = 1 / 10
const ladderMs = [60_000, 600_000, 3_600_000, 6 * 3_600_000] as const
/** A try lies no further away than this part of the time that is left. */
const partOfRest = 1 / 10
const afterEndMs = 3_600_000

/**
 * The moment at which a certificate is due: within the hub's window where there is one, else two thirds of its life, a tenth of
 * the life earlier or later; the place is fixed by the identity, so that a fleet that enrolled in one minute does not come
 * back in one. Never before {@link leastAgeMs}: a hub that calls for ever is not answered for ever.
 */
export function dueAtMs(id: string, life: Life, hint: Hint | null): number {
  const { beganMs, lengthMs } = span(life)
  const place = placeOf(id)
  const due =
    hint === null
      ? beganMs + lengthMs * (twoThirds + spread * (2 * place - 1))
      : hint.fromMs + (hint.untilMs - hint.fromMs) * place
  // A window that the hub has placed at the end, or behind it, leaves no time for a second try.
  const latest = life.notAfterMs - lengthMs * partForTries
  return Math.round(Math.max(Math.min(due, latest), beganMs + leastAgeMs(life)))
}

/** How old a certificate is before it is renewed at all: a hundredth of its life, within ten seconds and an hour. */
export function leastAgeMs(life: Life): number {
  return bounded(span(life).lengthMs / 100, 10_000, 3_600_000)
}

/**
 * The moment of the next try after failures: a minute, ten, an hour, six hours, spread by identity; but always several in the
 * time that is left, and every hour when the end has passed. What the hub asks for is kept within the same bound.
 */
export function retryAtMs(id: string, life: Life, { failures, lastMs, retryAfterMs }: Tries): number {
  const { lengthMs } = span(life)
  const least = bounded(lengthMs / 200, 5_000, limits.renewalRetryMsMin)
  const step = ladderMs[Math.min(failures, ladderMs.length) - 1] ?? ladderMs[0]
  const rest = life.notAfterMs - lastMs
  const most = rest > 0 ? rest * partOfRest : afterEndMs
  const asked = Math.max(step, retryAfterMs ?? 0)
  const jitter = 1 + spread * (2 * placeOf(`${id} ${failures}`) - 1)
  return Math.round(lastMs + Math.max(Math.min(asked * jitter, most), least))
}

/**
 * When it is tried next. A last try that lies in the future shows a clock that has been set back: it says nothing then, or a
 * device whose clock was once in 2038 would wait for twelve years.
 */
export function nextTryAtMs(id: string, life: Life, hint: Hint | null, tries: Tries | null, nowMs: number): number {
  const due = dueAtMs(id, life, hint)
  if (tries === null || tries.failures === 0 || tries.lastMs > nowMs) return due
  return Math.max(due, retryAtMs(id, life, tries))
}

function span({ obtainedAtMs, notBeforeMs, notAfterMs }: Life): {
  readonly beganMs: number
  readonly lengthMs: number
} {
  // A clock that was wrong when the certificate came has noted nonsense.
  const isKnown = obtainedAtMs !== null && obtainedAtMs >= notBeforeMs && obtainedAtMs < notAfterMs
  const beganMs = isKnown ? obtainedAtMs : notBeforeMs
  return { beganMs, lengthMs: notAfterMs - beganMs }
}

/** A place in [0, 1) that a text has always had. */
function placeOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32
}

function bounded(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most)
}

/** The latest time that is known to have been, so that a clock in 1970 is seen for what it is. */
import { writeDurably } from '../../disk/durable-file.ts'
import { deviceLimits } from '../limits.ts'
import { type Places, readSmall } from './places.ts'

/** The time in the file, in milliseconds since the epoch, or null where it holds none. */
export function readGoodTime({ goodTime }: Places): number | null {
  const ms = Date.parse(readSmall(goodTime)?.trim() ?? '')
  return Number.isFinite(ms) ? ms : null
}

/** Keeps a time that is later than the kept one by more than is worth a write. */
export function keepGoodTime(places: Places, ms: number): void {
  const kept = readGoodTime(places)
  if (kept !== null && ms - kept < deviceLimits.goodTimeStepMs) return
  writeDurably(places.goodTime, `${new Date(ms).toISOString()}\n`, 0o600)
}

/** Errors of Linux sockets and files by number (errno.h); lwIP on microcontrollers has the same. */
import type { Symptom } from '../symptom.ts'
import { type SymptomName, symptoms } from '../symptoms/index.ts'

const errors: ReadonlyMap<number, readonly [name: string, says: SymptomName]> = new Map([
  [2, ['ENOENT', 'file-unopened']],
  [12, ['ENOMEM', 'memory-short']],
  [13, ['EACCES', 'file-unopened']],
  [32, ['EPIPE', 'closed-early']],
  [101, ['ENETUNREACH', 'host-unreachable']],
  [104, ['ECONNRESET', 'connection-reset']],
  [110, ['ETIMEDOUT', 'port-silent']],
  [111, ['ECONNREFUSED', 'port-refused']],
  [113, ['EHOSTUNREACH (ECONNABORTED in lwIP)', 'host-unreachable']],
])

/** @param number without its sign; null for one that says nothing of a connection */
export function errnoNumbered(number: number): readonly [name: string, symptom: Symptom] | null {
  const found = errors.get(number)
  return found === undefined ? null : [found[0], symptoms[found[1]]]
}

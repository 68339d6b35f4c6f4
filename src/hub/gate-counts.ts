/** What a gate in another process has counted, on its way to the hub's observer. */
import type { FailureName } from '../core/failure/catalogue.ts'
import type { Action } from '../core/policy/rights.ts'
import type { Observer, SessionEnd } from './ports/observer.ts'
import type { ShadowDifference, ShadowListener } from './shadow-differences.ts'

/** Whom a gate tells. */
export type GateObserver = Pick<Observer, 'sessionEnded' | 'packetDenied' | 'shadowDiffered'> & ShadowListener

/** One call of that observer. */
export type GateCount =
  | readonly ['sessionEnded', SessionEnd]
  | readonly ['packetDenied', FailureName]
  | readonly ['shadowDiffered', Action, 'allow' | 'deny']
  | readonly ['shadowFound', ShadowDifference]

/** Makes the call. */
export function countFor(observer: GateObserver, counted: GateCount): void {
  switch (counted[0]) {
    case 'sessionEnded':
      observer.sessionEnded(counted[1])
      return
    case 'packetDenied':
      observer.packetDenied(counted[1])
      return
    case 'shadowDiffered':
      observer.shadowDiffered(counted[1], counted[2])
      return
    case 'shadowFound':
      observer.shadowFound?.(counted[1])
  }
}

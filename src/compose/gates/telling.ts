/** What a gate process tells the hub without waiting: attempts and what is counted, several together. */

import type { FailureName } from '../../core/failure/catalogue.ts'
import { limits } from '../../core/limits.ts'
import type { Action } from '../../core/policy/rights.ts'
import type { GateCount, GateObserver } from '../../hub/gate-counts.ts'
import type { NewAttempt } from '../../hub/ports/attempts.ts'
import type { SessionEnd } from '../../hub/ports/observer.ts'
import type { ShadowDifference } from '../../hub/shadow-differences.ts'
import type { ToHub } from './messages.ts'

/** How long something may wait before it is told. */
const afterMs = 50

/** The hub counts and limits what comes; here no more may wait than one message bears. */
export class Telling implements GateObserver {
  readonly #say: (message: ToHub) => void
  #attempts: NewAttempt[] = []
  #counted: GateCount[] = []
  #timer: NodeJS.Timeout | null = null

  constructor(say: (message: ToHub) => void) {
    this.#say = say
  }

  record(attempt: NewAttempt): void {
    this.#attempts.push(attempt)
    this.#schedule()
  }

  sessionEnded(cause: SessionEnd): void {
    this.#count(['sessionEnded', cause])
  }

  packetDenied(code: FailureName): void {
    this.#count(['packetDenied', code])
  }

  shadowDiffered(action: Action, would: 'allow' | 'deny'): void {
    this.#count(['shadowDiffered', action, would])
  }

  shadowFound(difference: ShadowDifference): void {
    this.#count(['shadowFound', difference])
  }

  /** Tells what waits. */
  stop(): void {
    this.#tell()
  }

  #count(counted: GateCount): void {
    this.#counted.push(counted)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#attempts.length + this.#counted.length >= limits.bulkRowsMax) this.#tell()
    else this.#timer ??= setTimeout(() => this.#tell(), afterMs)
  }

  #tell(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#attempts.length + this.#counted.length === 0) return
    this.#say({ kind: 'told', attempts: this.#attempts, counted: this.#counted })
    this.#attempts = []
    this.#counted = []
  }
}

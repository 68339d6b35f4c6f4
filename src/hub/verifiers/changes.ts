/**
 * Who has changed since a server asked last: what it keeps in memory about those counts no more. A question waits here until there is
 * a change, so that a revocation reaches every server at once and nobody asks in a loop.
 */
import { HubError } from '../../core/errors.ts'
import type { IdentityId } from '../../core/identity/id.ts'
import { limits } from '../../core/limits.ts'
import type { HubEvent } from '../ports/events.ts'

export interface PeerChanges {
  /** Goes with the next question. It is of this process: another one, or this one begun anew, does not know it. */
  readonly position: string
  /** Ids, each once; null where everything may have changed. */
  readonly changed: readonly string[] | null
}

/** An identity, or null for everybody. */
type Change = IdentityId | null

export class VerifierChanges {
  readonly #epoch: string
  readonly #pollsMax: number
  /** The last ones; the first of them has the number {@link #first}. */
  #kept: Change[] = []
  #first = 0
  readonly #waiting = new Set<() => void>()
  readonly #pollsOf = new Map<IdentityId, number>()
  #isStopped = false

  /** @param epoch a text that no other process has, letters and digits */
  constructor(epoch: string, pollsMax: number = limits.verifyPollsMax) {
    this.#epoch = epoch
    this.#pollsMax = pollsMax
  }

  noted(event: HubEvent): void {
    const change = changeBy(event)
    if (change === undefined) return
    this.#kept.push(change)
    if (this.#kept.length > limits.verifyChangesKept) {
      const over = this.#kept.length - limits.verifyChangesKept / 2
      this.#kept = this.#kept.slice(over)
      this.#first += over
    }
    for (const wake of [...this.#waiting]) wake()
  }

  /**
   * @param after the position of the last answer; null for the first question, which is answered at once
   * @param waitMs how long it waits where there are no changes
   * @param asker the service that asks
   * @throws HubError `verify-polls-too-many`
   */
  async since(after: string | null, waitMs: number, asker: IdentityId, signal: AbortSignal): Promise<PeerChanges> {
    const from = this.#numberIn(after)
    if (from === null) return { position: this.position(), changed: null }
    if (from === this.#end && waitMs > 0 && !this.#isStopped) await this.#news(waitMs, asker, signal)
    return this.#from(from)
  }

  position(): string {
    return `${this.#epoch}.${this.#end}`
  }

  /** Questions that wait. */
  waiting(): number {
    return this.#waiting.size
  }

  /** Answers all that wait. */
  stop(): void {
    this.#isStopped = true
    for (const wake of [...this.#waiting]) wake()
  }

  get #end(): number {
    return this.#first + this.#kept.length
  }

  #numberIn(position: string | null): number | null {
    const [, epoch, digits] = /^([0-9A-Za-z]{1,64})\.(\d{1,15})$/.exec(position ?? '') ?? []
    const number = Number(digits)
    return epoch === this.#epoch && number >= this.#first && number <= this.#end ? number : null
  }

  #from(number: number): PeerChanges {
    const position = this.position()
    // What was kept may have moved on while the question waited.
    if (number < this.#first) return { position, changed: null }
    const changes = new Set(this.#kept.slice(number - this.#first))
    if (changes.has(null) || changes.size > limits.verifyChangedMax) return { position, changed: null }
    return { position, changed: [...changes].filter((change) => change !== null) }
  }

  async #news(waitMs: number, asker: IdentityId, signal: AbortSignal): Promise<void> {
    const own = this.#pollsOf.get(asker) ?? 0
    if (this.#waiting.size >= this.#pollsMax || own >= limits.verifyPollsOfServiceMax) {
      throw new HubError(
        'verify-polls-too-many',
        `${own} questions of ${asker} wait for changes, and ${this.#waiting.size} in all`,
        {
          retryAfterSec: Math.ceil(limits.verifyRetryMsMax / 1_000),
        },
      )
    }
    this.#pollsOf.set(asker, own + 1)
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      const timer = setTimeout(wake, waitMs)
      this.#waiting.add(wake)
      signal.addEventListener('abort', wake)
      if (signal.aborted) wake()
    })
    const left = (this.#pollsOf.get(asker) ?? 1) - 1
    if (left === 0) this.#pollsOf.delete(asker)
    else this.#pollsOf.set(asker, left)
  }
}

/** Whom an event is about, null for everybody; undefined where it changes nothing for servers of others. */
function changeBy(event: HubEvent): Change | undefined {
  switch (event.type) {
    case 'identity-changed':
    case 'identity-state-changed':
    case 'credential-activated':
    case 'credential-superseded':
    case 'credential-released':
    case 'credential-adopted':
    case 'credential-revoked':
      return event.identityId
    case 'authority-changed':
    case 'policy-activated':
    case 'profile-changed':
    case 'registry-restored':
      return null
    default:
      return undefined
  }
}

/** What the hub has said of certificates, kept until it says that somebody has changed; questions that come together go together. */
import { HubError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { PeerAnswer } from './wire.ts'

/** Asks the hub about some certificates, and answers in their order. */
export type AskHub = (fingerprints: readonly string[]) => Promise<readonly PeerAnswer[]>

interface Waiting {
  readonly fingerprint: string
  readonly answered: Promise<PeerAnswer>
  readonly resolve: (answer: PeerAnswer) => void
  readonly reject: (error: unknown) => void
  /** Who has changed while the question was under way: the answer may be from before. Null for everybody. */
  changed: Set<string> | null
  tries: number
}

/** A question whose answer is overtaken again and again is not asked for ever. */
const triesMax = 5

export class Answers {
  readonly #ask: AskHub
  readonly #kept = new Map<string, PeerAnswer>()
  /** Those that wait and those that are asked about, by fingerprint. */
  readonly #pending = new Map<string, Waiting>()
  #queue: Waiting[] = []
  #asking = 0
  #isScheduled = false

  constructor(ask: AskHub) {
    this.#ask = ask
  }

  /** @throws HubError `verify-hub-silent` and what the hub says to the question itself */
  of(fingerprint: string, nowMs: number): Promise<PeerAnswer> {
    const kept = this.#kept.get(fingerprint)
    if (kept !== undefined && (!kept.admitted || nowMs < kept.endsAtMs)) return Promise.resolve(kept)
    const pending = this.#pending.get(fingerprint)
    if (pending !== undefined) return pending.answered
    if (this.#pending.size >= limits.verifyWaitingMax) {
      return Promise.reject(new HubError('verify-hub-silent', 'too many certificates wait to be asked about'))
    }
    const { promise: answered, resolve, reject } = Promise.withResolvers<PeerAnswer>()
    const waiting: Waiting = { fingerprint, answered, resolve, reject, changed: new Set(), tries: 0 }
    this.#pending.set(fingerprint, waiting)
    this.#queue.push(waiting)
    this.#schedule()
    return answered
  }

  /** @param ids whose answers count no more; null for all */
  forget(ids: readonly string[] | null): void {
    for (const waiting of this.#pending.values()) {
      if (ids === null) waiting.changed = null
      else for (const id of ids) waiting.changed?.add(id)
    }
    if (ids === null) this.#kept.clear()
    const changed = new Set(ids ?? [])
    for (const [fingerprint, answer] of this.#kept) {
      if (answer.id !== null && changed.has(answer.id)) this.#kept.delete(fingerprint)
    }
  }

  get size(): number {
    return this.#kept.size
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    // What is asked in the same turn goes with it.
    setImmediate(() => {
      this.#isScheduled = false
      while (this.#queue.length > 0 && this.#asking < limits.verifyQuestionsMax) {
        void this.#askAbout(this.#queue.splice(0, limits.verifyAskedMax))
      }
    })
  }

  async #askAbout(together: readonly Waiting[]): Promise<void> {
    this.#asking++
    for (const waiting of together) {
      waiting.changed = new Set()
      waiting.tries++
    }
    try {
      const answers = await this.#ask(together.map(({ fingerprint }) => fingerprint))
      for (const [index, waiting] of together.entries()) this.#settle(waiting, answers[index])
    } catch (error) {
      for (const waiting of together) {
        this.#pending.delete(waiting.fingerprint)
        waiting.reject(error)
      }
    }
    this.#asking--
    if (this.#queue.length > 0) this.#schedule()
  }

  #settle(waiting: Waiting, answer: PeerAnswer | undefined): void {
    const { fingerprint, changed, tries } = waiting
    const isOvertaken = changed === null || (answer?.id != null && changed.has(answer.id))
    if (isOvertaken && tries < triesMax) {
      this.#queue.push(waiting)
      return
    }
    this.#pending.delete(fingerprint)
    if (answer === undefined || isOvertaken) {
      waiting.reject(new HubError('verify-hub-silent', 'the hub changes faster than it answers'))
      return
    }
    this.#keep(fingerprint, answer)
    waiting.resolve(answer)
  }

  #keep(fingerprint: string, answer: PeerAnswer): void {
    // Of one that nobody knows no change is told: it is asked about again.
    if (answer.id === null) return
    this.#kept.delete(fingerprint)
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size < limits.verifyAnswersKept) break
      this.#kept.delete(oldest)
    }
    this.#kept.set(fingerprint, answer)
  }
}

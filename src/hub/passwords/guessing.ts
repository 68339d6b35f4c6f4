/**
 * Slows down guessing of passwords by what fails: where a name from an address, an address, or a name has failed too often,
 * nothing of it is compared for a while, right or wrong.
 *
 * A name that was right from an address since this process began goes on being compared there, however often others fail beside
 * it: a plant behind one address is not locked out by one device of it, nor a device by whoever fails in its name elsewhere.
 * Where that is not known, after a start or from another address, names and addresses that failed too often have spare places at
 * a slow rate that all share, each pair of them within its own. Only many addresses together, or one that fails beside a device
 * behind the same address, can make it wait for longer.
 */
import { limits } from '../../core/limits.ts'
import { RateTable } from '../gcra.ts'
import { sourceOf } from '../peer-address.ts'
import type { Clock } from '../ports/clock.ts'

/** Of one name from one source, at one time: whoever guesses does not get around the rate by asking at once. */
const comparingMax = 2

/** How a comparison ended. `given-up`: it was not waited for, or there was no place for it; `undecided`: the hub could not. */
export type Outcome = 'right' | 'wrong' | 'given-up' | 'undecided'

/** What may be compared now; to be told once how it ended. */
export interface Comparison {
  end(outcome: Outcome): void
}

/** Why it may not. */
export interface Held {
  readonly code: 'password-guessing' | 'passwords-busy'
  /** Milliseconds until it may. */
  readonly waitMs: number
}

interface Taken {
  readonly table: RateTable
  readonly key: string
}

export class GuessLimiter {
  readonly #clock: Clock
  readonly #pairs = new RateTable({ burst: 5, everyMs: 30_000 }, limits.authFailureAddressesMax)
  readonly #names = new RateTable({ burst: 50, everyMs: 10_000 }, limits.authFailureAddressesMax)
  readonly #sources = new RateTable({ burst: 50, everyMs: 2_000 }, limits.authFailureAddressesMax)
  /** What a source has beside its rate, and beside that of a name: a few, and of all sources together no more than one a second. */
  readonly #sparesOf = new RateTable({ burst: 2, everyMs: 10_000 }, limits.authFailureAddressesMax)
  readonly #spares = new RateTable({ burst: 20, everyMs: 1_000 }, 1)
  /** Comparisons that run, which may fail yet, by pair of name and source. */
  readonly #comparing = new Map<string, number>()
  /** Those of pairs that were not right before, by source: none has more than its share of the places where all wait. */
  readonly #comparingOf = new Map<string, number>()
  /** Pairs of name and source that were right, the oldest first. */
  readonly #right = new Set<string>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Takes from the rates what a failure takes, before anything is compared: what is asked at once counts as what is asked in turn.
   *
   * @param name as the client sent it
   * @param address as `peerAddress` gives it
   */
  enter(name: string, address: string): Comparison | Held {
    const source = sourceOf(address)
    const pair = pairOf(name, source)
    const isKnown = this.#right.has(pair)
    if ((this.#comparing.get(pair) ?? 0) >= comparingMax) return { code: 'password-guessing', waitMs: 1_000 }
    if (!isKnown && (this.#comparingOf.get(source) ?? 0) >= limits.passwordChecksOfSourceMax) {
      return { code: 'passwords-busy', waitMs: 1_000 }
    }
    const nowMs = this.#clock.nowMs()
    const ofPair = { table: this.#pairs, key: pair }
    const ofName = { table: this.#names, key: keyOf(name) }
    const ofSource = { table: this.#sources, key: source }
    const spares = [
      { table: this.#sparesOf, key: source },
      { table: this.#spares, key: '' },
    ]
    const usualMs = isKnown ? 0 : longestWait([ofName, ofSource], nowMs)
    const isSpare = usualMs > 0 && longestWait([ofPair, ...spares], nowMs) === 0
    const waitMs = isSpare ? 0 : Math.max(longestWait([ofPair], nowMs), Math.min(usualMs, longestWait(spares, nowMs)))
    if (waitMs > 0) return { code: 'password-guessing', waitMs }
    const wanted = [ofPair, ofName, ofSource, ...(isSpare ? spares : [])]
    const taken = wanted.filter(({ table, key }) => table.take(key, nowMs) === 0)
    const counted: readonly [Map<string, number>, string][] = [
      [this.#comparing, pair],
      ...(isKnown ? [] : [[this.#comparingOf, source] as [Map<string, number>, string]]),
    ]
    for (const [counts, key] of counted) counts.set(key, (counts.get(key) ?? 0) + 1)
    return {
      end: (outcome) => {
        for (const [counts, key] of counted) countDown(counts, key)
        // Whoever fills the queue, or leaves it, has used up what others wait for.
        const kept = outcome === 'wrong' ? taken : outcome === 'given-up' ? [ofSource, ...spares] : []
        for (const each of taken) if (!kept.includes(each)) each.table.giveBack(each.key, this.#clock.nowMs())
        if (outcome === 'right') this.#remember(pair)
      },
    }
  }

  #remember(pair: string): void {
    this.#right.delete(pair)
    if (this.#right.size >= limits.passwordsRememberedMax) {
      const [oldest] = this.#right
      if (oldest !== undefined) this.#right.delete(oldest)
    }
    this.#right.add(pair)
  }
}

function longestWait(rates: readonly Taken[], nowMs: number): number {
  return Math.max(...rates.map(({ table, key }) => table.waitMs(key, nowMs)))
}

function countDown(counts: Map<string, number>, key: string): void {
  const left = (counts.get(key) ?? 0) - 1
  if (left > 0) counts.set(key, left)
  else counts.delete(key)
}

/** What is no id of an identity counts as one name: its form is the client's to invent. */
function keyOf(name: string): string {
  return name.length > limits.identityIdCharsMax ? '' : name
}

function pairOf(name: string, source: string): string {
  return `${source} ${keyOf(name)}`
}

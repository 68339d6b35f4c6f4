/**
 * Slows down guessing of passwords by what fails: where a name from an address, an address, or a name has failed too often,
 * nothing of it is compared for a while, right or wrong.
 *
 * A name that was right from an address goes on being compared there, however often others fail beside it: a plant behind
 * one address is not locked out by one device of it, and nobody locks a device out by failing in its name from elsewhere.
 */
import { limits } from '../../core/limits.ts'
import { RateTable } from '../gcra.ts'
import { sourceOf } from '../peer-address.ts'
import type { Clock } from '../ports/clock.ts'

/** Of one name from one source, at one time: whoever guesses does not get around the rate by asking at once. */
const comparingMax = 2

export class GuessLimiter {
  readonly #clock: Clock
  readonly #pairs = new RateTable({ burst: 5, everyMs: 30_000 }, limits.authFailureAddressesMax)
  readonly #names = new RateTable({ burst: 50, everyMs: 10_000 }, limits.authFailureAddressesMax)
  readonly #sources = new RateTable({ burst: 50, everyMs: 2_000 }, limits.authFailureAddressesMax)
  /** Comparisons that run, which may fail yet, by pair of name and source. */
  readonly #comparing = new Map<string, number>()
  /** Pairs of name and source that were right, the oldest first. */
  readonly #right = new Set<string>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * @param name as the client sent it
   * @param address as `peerAddress` gives it
   * @returns 0 where it may be compared, and `leave` is to be called behind that; else the milliseconds until then
   */
  enter(name: string, address: string): number {
    const waitMs = this.#waitMs(name, address)
    if (waitMs > 0) return waitMs
    const pair = pairOf(name, sourceOf(address))
    const comparing = this.#comparing.get(pair) ?? 0
    if (comparing >= comparingMax) return 1_000
    this.#comparing.set(pair, comparing + 1)
    return 0
  }

  leave(name: string, address: string): void {
    const pair = pairOf(name, sourceOf(address))
    const comparing = (this.#comparing.get(pair) ?? 0) - 1
    if (comparing > 0) this.#comparing.set(pair, comparing)
    else this.#comparing.delete(pair)
  }

  #waitMs(name: string, address: string): number {
    const nowMs = this.#clock.nowMs()
    const source = sourceOf(address)
    const pair = pairOf(name, source)
    const ofPair = this.#pairs.waitMs(pair, nowMs)
    if (ofPair > 0 || this.#right.has(pair)) return ofPair
    return Math.max(this.#names.waitMs(keyOf(name), nowMs), this.#sources.waitMs(source, nowMs))
  }

  failed(name: string, address: string): void {
    const nowMs = this.#clock.nowMs()
    const source = sourceOf(address)
    this.#pairs.take(pairOf(name, source), nowMs)
    this.#names.take(keyOf(name), nowMs)
    this.#sources.take(source, nowMs)
  }

  succeeded(name: string, address: string): void {
    const pair = pairOf(name, sourceOf(address))
    this.#right.delete(pair)
    if (this.#right.size >= limits.passwordsRememberedMax) {
      const [oldest] = this.#right
      if (oldest !== undefined) this.#right.delete(oldest)
    }
    this.#right.add(pair)
  }
}

/** What is no id of an identity counts as one name: its form is the client's to invent. */
function keyOf(name: string): string {
  return name.length > limits.identityIdCharsMax ? '' : name
}

function pairOf(name: string, source: string): string {
  return `${source} ${keyOf(name)}`
}

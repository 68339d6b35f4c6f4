/**
 * Connections between accept and CONNECT: how many there may be, and whose.
 *
 * Who comes often is not held back: a plant that comes back after a power cut behind one address has as many places as there
 * are. Who fails often is: from an address that has failed too often only a few are let in at a time, so that its flood costs
 * little and a good device behind it still gets through. And where all places are taken, whoever holds the most of them
 * gives way to others.
 */

import { RateTable } from '../hub/gcra.ts'
import { sourceOf } from '../hub/peer-address.ts'
import type { Clock } from '../hub/ports/clock.ts'
import type { Ending } from './options.ts'

export interface HalfOpenLimits {
  readonly halfOpenConnectionsMax: number
  readonly halfOpenFailingMax: number
  readonly connectFailuresMax: number
  readonly connectFailureForgottenMs: number
  readonly connectFailureSourcesMax: number
}

interface Place {
  readonly source: string | null
  /** Takes the place away. */
  readonly giveWay: (why: Ending) => void
}

export class HalfOpen<T> {
  readonly #limits: HalfOpenLimits
  readonly #clock: Clock
  readonly #places = new Map<T, Place>()
  /** By source, the oldest first. */
  readonly #bySource = new Map<string, Set<T>>()
  readonly #failures: RateTable

  constructor(limits: HalfOpenLimits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
    this.#failures = new RateTable(
      { burst: limits.connectFailuresMax, everyMs: limits.connectFailureForgottenMs },
      limits.connectFailureSourcesMax,
    )
  }

  /**
   * @param address null where it is not known yet, since a proxy stands in front
   * @returns null when it is counted, or why there is no room for it
   */
  add(connection: T, address: string | null, giveWay: (why: Ending) => void): Ending | null {
    const source = address === null ? null : sourceOf(address)
    const refusal = this.#refusalOf(source) ?? this.#makeRoom(source)
    if (refusal !== null) return refusal
    this.#places.set(connection, { source, giveWay })
    if (source === null) return null
    const own = this.#bySource.get(source)
    if (own === undefined) this.#bySource.set(source, new Set([connection]))
    else own.add(connection)
    return null
  }

  /** Says whose connection it is, behind a proxy. Returns why there is no room for it, or null. */
  comesFrom(connection: T, address: string): Ending | null {
    const place = this.#places.get(connection)
    if (place === undefined) return null
    this.delete(connection)
    return this.add(connection, address, place.giveWay)
  }

  /** A connection from there has come to nothing, by its own doing. */
  failed(address: string): void {
    this.#failures.take(sourceOf(address), this.#clock.nowMs())
  }

  /** One has become a session: that makes up for a failure. */
  succeeded(address: string): void {
    this.#failures.giveBack(sourceOf(address), this.#clock.nowMs())
  }

  #refusalOf(source: string | null): Ending | null {
    if (source === null) return null
    const count = this.#bySource.get(source)?.size ?? 0
    if (count < this.#limits.halfOpenFailingMax) return null
    if (this.#failures.waitMs(source, this.#clock.nowMs()) === 0) return null
    const sentence = `connections from ${source} have failed too often, and ${count} more are waiting for their CONNECT`
    return { code: 'address-failing', sentence }
  }

  /** Where all places are taken, the oldest connection of the source that has most of them goes, if others have fewer. */
  #makeRoom(source: string | null): Ending | null {
    const all = this.#places.size
    if (all < this.#limits.halfOpenConnectionsMax) return null
    const sentence = `${all} connections are waiting for their handshake or CONNECT`
    const full: Ending = { code: 'too-many-handshakes', sentence }
    const own = source === null ? 0 : (this.#bySource.get(source)?.size ?? 0)
    let most: ReadonlySet<T> | null = null
    for (const held of this.#bySource.values()) if (held.size > (most?.size ?? own + 1)) most = held
    const [oldest] = most ?? []
    if (oldest === undefined) return full
    const place = this.#places.get(oldest)
    this.delete(oldest)
    place?.giveWay(full)
    return null
  }

  delete(connection: T): void {
    const place = this.#places.get(connection)
    if (place === undefined) return
    this.#places.delete(connection)
    if (place.source === null) return
    const own = this.#bySource.get(place.source)
    own?.delete(connection)
    if (own?.size === 0) this.#bySource.delete(place.source)
  }

  has(connection: T): boolean {
    return this.#places.has(connection)
  }

  count(): number {
    return this.#places.size
  }
}

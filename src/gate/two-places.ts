/**
 * Notices certificates that are in use in two places: a device image that was copied with its key, or a key that was stolen. Two holders
 * of one certificate take each other's session over and over. A device that moves to another network does so once: it does
 * not come back while its new connection lives.
 */

import { isIP } from 'node:net'
import type { FailureName } from '../core/failure/catalogue.ts'
import { isLoopback, sourceOf } from '../hub/peer-address.ts'

/** What is looked at of a connection. */
export interface Holder {
  readonly fingerprint: string | null
  readonly address: string
}

export interface TwoPlacesLimits {
  readonly contestedCertificatesMax: number
  readonly contestForgottenMs: number
}

/** The last takeover of sessions of one certificate between two addresses. */
interface Contest {
  readonly from: string
  readonly to: string
  readonly atMs: number
  /** How often in a row the one that was put out came back and put out the other. */
  readonly returns: number
}

/** One return may be a device between two networks; two are two devices. */
const returnsMax = 1

export class TwoPlaces {
  readonly #limits: TwoPlacesLimits
  /** By fingerprint, the longest ago first. */
  readonly #contests = new Map<string, Contest>()

  constructor(limits: TwoPlacesLimits) {
    this.#limits = limits
  }

  /** One connection takes the session of another. Returns what that is called. */
  takeover(holder: Holder, taker: Holder, nowMs: number): FailureName {
    const { fingerprint } = taker
    const [from, to] = [sourceOf(holder.address), sourceOf(taker.address)]
    if (fingerprint === null || fingerprint !== holder.fingerprint || from === to) return 'session-taken-over'
    const before = this.#contests.get(fingerprint)
    const isReturn = before?.from === to && before.to === from && nowMs - before.atMs < this.#limits.contestForgottenMs
    const returns = isReturn ? before.returns + 1 : 0
    this.#remember(fingerprint, { from, to, atMs: nowMs, returns })
    return returns > returnsMax ? 'certificate-in-two-places' : 'session-taken-over'
  }

  #remember(fingerprint: string, contest: Contest): void {
    this.#contests.delete(fingerprint)
    const [oldest] = this.#contests.keys()
    if (oldest !== undefined && this.#contests.size >= this.#limits.contestedCertificatesMax) {
      this.#contests.delete(oldest)
    }
    this.#contests.set(fingerprint, contest)
  }
}

/**
 * Whether two addresses are hardly those of one device: a machine with IPv4 and IPv6 has one of each, and programs beside the hub come to it
 * in several ways.
 */
export function areApart(one: string, other: string): boolean {
  if (isIP(one) === 0 || isIP(one) !== isIP(other)) return false
  return sourceOf(one) !== sourceOf(other) && !isLoopback(one) && !isLoopback(other)
}

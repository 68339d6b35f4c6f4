/** Connections between accept and CONNECT, counted in all and by where they come from. */
import { sourceOf } from '../hub/peer-address.ts'

export interface HalfOpenLimits {
  readonly halfOpenConnectionsMax: number
  readonly halfOpenPerAddressMax: number
}

export class HalfOpen<T> {
  readonly #limits: HalfOpenLimits
  /** Each with the source that it counts for. */
  readonly #sources = new Map<T, string>()
  readonly #counts = new Map<string, number>()

  constructor(limits: HalfOpenLimits) {
    this.#limits = limits
  }

  /** @returns null when it is counted, or why there is no room for it */
  add(connection: T, address: string): string | null {
    const { halfOpenConnectionsMax, halfOpenPerAddressMax } = this.#limits
    const all = this.#sources.size
    if (all >= halfOpenConnectionsMax) return `${all} connections are waiting for their handshake or CONNECT`
    const source = sourceOf(address)
    const count = this.#counts.get(source) ?? 0
    if (count >= halfOpenPerAddressMax) {
      return `${count} connections from ${source} are waiting for their handshake or CONNECT`
    }
    this.#sources.set(connection, source)
    this.#counts.set(source, count + 1)
    return null
  }

  delete(connection: T): void {
    const source = this.#sources.get(connection)
    if (source === undefined) return
    this.#sources.delete(connection)
    const count = (this.#counts.get(source) ?? 0) - 1
    if (count > 0) this.#counts.set(source, count)
    else this.#counts.delete(source)
  }

  count(): number {
    return this.#sources.size
  }

  has(connection: T): boolean {
    return this.#sources.has(connection)
  }
}

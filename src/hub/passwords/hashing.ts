/**
 * Compares passwords with their slow hashes, a few at a time: scrypt runs in the threads that files and name lookups need
 * too, and takes 16 MiB for each.
 *
 * A password that was right is remembered by a keyed hash, in memory alone and under a key that dies with the process, so that
 * a plant that comes back after a power cut costs one slow hash a device and not one a connection. What was wrong is never
 * remembered and always costs the slow way.
 */
import { createHmac, scrypt, timingSafeEqual } from 'node:crypto'
import { HubError } from '../../core/errors.ts'
import type { Password, ScryptCost } from '../../core/identity/password.ts'
import { limits } from '../../core/limits.ts'
import type { Secret } from '../../core/secret.ts'
import type { Random } from '../ports/random.ts'

/** Octets of a hash. */
const hashBytes = 32

export class PasswordHashing {
  readonly #key: Uint8Array
  /** Keyed hashes of what was right, by password; the one that was used longest ago first. */
  readonly #right = new Map<string, Buffer>()
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(random: Random) {
    this.#key = random.bytes(32)
  }

  /**
   * The hash to keep of a new password.
   *
   * @throws HubError `passwords-busy`
   */
  hash(password: Secret, salt: Uint8Array, cost: ScryptCost): Promise<Uint8Array> {
    return this.#slow(password, salt, cost)
  }

  /**
   * Whether it is that password, compared in constant time.
   *
   * @throws HubError `passwords-busy`
   */
  async matches(offered: Secret, { id, hash, salt, cost }: Password): Promise<boolean> {
    const keyed = createHmac('sha256', this.#key).update(id).update('\0').update(offered.reveal()).digest()
    const known = this.#right.get(id)
    if (known !== undefined && timingSafeEqual(known, keyed)) return true
    const made = await this.#slow(offered, salt, cost)
    if (made.length !== hash.length || !timingSafeEqual(made, hash)) return false
    this.#right.delete(id)
    if (this.#right.size >= limits.passwordsRememberedMax) {
      const [oldest] = this.#right.keys()
      if (oldest !== undefined) this.#right.delete(oldest)
    }
    this.#right.set(id, keyed)
    return true
  }

  async #slow(password: Secret, salt: Uint8Array, { logN, r, p }: ScryptCost): Promise<Uint8Array> {
    await this.#turn()
    try {
      return await new Promise((resolve, reject) => {
        const options = { N: 2 ** logN, r, p, maxmem: 2 * 128 * r * 2 ** logN }
        scrypt(password.reveal(), salt, hashBytes, options, (error, hash) => (error ? reject(error) : resolve(hash)))
      })
    } finally {
      this.#running -= 1
      this.#waiting.shift()?.()
    }
  }

  async #turn(): Promise<void> {
    if (this.#running >= limits.passwordChecksAtOnceMax) {
      if (this.#waiting.length >= limits.passwordChecksWaitingMax) {
        throw new HubError('passwords-busy', `${this.#waiting.length} passwords are waiting to be compared`)
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    this.#running += 1
  }
}

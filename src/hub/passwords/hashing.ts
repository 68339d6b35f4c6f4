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

interface Waiting {
  readonly isGone: () => boolean
  readonly begin: () => void
  readonly giveUp: (why: HubError) => void
}

export class PasswordHashing {
  readonly #key: Uint8Array
  /** Keyed hashes of what was right, by password; the one that was used longest ago first. */
  readonly #right = new Map<string, Buffer>()
  #running = 0
  readonly #waiting: Waiting[] = []

  constructor(random: Random) {
    this.#key = random.bytes(32)
  }

  /**
   * The hash to keep of a new password.
   *
   * @throws HubError `passwords-busy`
   */
  hash(password: Secret, salt: Uint8Array, cost: ScryptCost): Promise<Uint8Array> {
    return this.#inTurn(
      () => derived(password, salt, cost),
      () => false,
    )
  }

  /**
   * The first of these passwords that it is, compared in constant time. All of them take one turn of the queue.
   *
   * @param passwords in the order in which to compare them
   * @param isGone whether nobody waits for the answer any more
   * @throws HubError `passwords-busy`, also where whoever asked left before its turn
   */
  async firstMatch(
    offered: Secret,
    passwords: readonly Password[],
    isGone: () => boolean = () => false,
  ): Promise<Password | null> {
    const keyed = passwords.map(({ id }) => this.#keyed(id, offered))
    const remembered = passwords.findIndex(({ id }, index) => isSame(this.#right.get(id), keyed[index]))
    if (remembered >= 0) return passwords[remembered] ?? null
    return this.#inTurn(async () => {
      for (const [index, password] of passwords.entries()) {
        if (!isSame(password.hash, await derived(offered, password.salt, password.cost))) continue
        this.#remember(password.id, keyed[index])
        return password
      }
      return null
    }, isGone)
  }

  #keyed(id: string, offered: Secret): Buffer {
    return createHmac('sha256', this.#key).update(id).update('\0').update(offered.reveal()).digest()
  }

  #remember(id: string, keyed: Buffer | undefined): void {
    if (keyed === undefined) return
    this.#right.delete(id)
    if (this.#right.size >= limits.passwordsRememberedMax) {
      const [oldest] = this.#right.keys()
      if (oldest !== undefined) this.#right.delete(oldest)
    }
    this.#right.set(id, keyed)
  }

  async #inTurn<T>(work: () => Promise<T>, isGone: () => boolean): Promise<T> {
    await this.#turn(isGone)
    try {
      return await work()
    } finally {
      this.#handOver()
    }
  }

  async #turn(isGone: () => boolean): Promise<void> {
    if (this.#running < limits.passwordChecksAtOnceMax) {
      this.#running += 1
      return
    }
    if (this.#waiting.length >= limits.passwordChecksWaitingMax) this.#dropGone()
    if (this.#waiting.length >= limits.passwordChecksWaitingMax) {
      throw new HubError('passwords-busy', `${this.#waiting.length} passwords are waiting to be compared`)
    }
    await new Promise<void>((begin, giveUp) => this.#waiting.push({ isGone, begin, giveUp }))
  }

  /** The place goes to the next that still waits: it is never free in between, for somebody who comes then. */
  #handOver(): void {
    let next = this.#waiting.shift()
    while (next?.isGone()) {
      next.giveUp(gone())
      next = this.#waiting.shift()
    }
    if (next === undefined) this.#running -= 1
    else next.begin()
  }

  #dropGone(): void {
    for (const each of this.#waiting.splice(0)) {
      if (each.isGone()) each.giveUp(gone())
      else this.#waiting.push(each)
    }
  }
}

function gone(): HubError {
  return new HubError('passwords-busy', 'the client left before its password was compared')
}

function isSame(known: Uint8Array | undefined, made: Uint8Array | undefined): boolean {
  return known !== undefined && made !== undefined && known.length === made.length && timingSafeEqual(known, made)
}

function derived(password: Secret, salt: Uint8Array, { logN, r, p }: ScryptCost): Promise<Uint8Array> {
  const options = { N: 2 ** logN, r, p, maxmem: 2 * 128 * r * 2 ** logN }
  return new Promise((resolve, reject) => {
    scrypt(password.reveal(), salt, hashBytes, options, (error, hash) => (error ? reject(error) : resolve(hash)))
  })
}

/** How much work opening key files may take: a file says itself how many rounds each try of a passphrase costs. */

/** The rounds that were left do not suffice for the next try. */
export class OutOfRounds extends Error {
  override readonly name = 'OutOfRounds'
}

export class RoundBudget {
  #left: number

  /** @param rounds of a hash or HMAC, for all tries together */
  constructor(rounds: number) {
    this.#left = rounds
  }

  /** What does not fit takes nothing, so that a cheaper file may still be tried. @throws OutOfRounds */
  spend(rounds: number): void {
    if (rounds > this.#left) throw new OutOfRounds(`${rounds} rounds are more than the ${this.#left} that are left`)
    this.#left -= rounds
  }
}

/** A source of unpredictable bytes. */
export interface Random {
  /** `count` bytes from a cryptographically secure generator. */
  bytes(count: number): Uint8Array
}

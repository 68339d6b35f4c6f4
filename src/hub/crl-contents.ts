/** Contents of CRLs that are asked for again and again, so that each is read from the registry once. */
import { limits } from '../core/limits.ts'
import { type CrlHead, type CrlRow, fullCrl } from './ports/crls.ts'
import type { Store } from './ports/store.ts'

export class CrlContents {
  readonly #store: Pick<Store, 'crls'>
  /** By authority and shard; the one asked for least recently stands first. */
  readonly #rows = new Map<string, CrlRow>()
  #bytes = 0

  constructor(store: Pick<Store, 'crls'>) {
    this.#store = store
  }

  /** The CRL with that head, or a newer one; null where its content is not there. */
  async of(head: CrlHead): Promise<CrlRow | null> {
    const key = `${head.authorityId}/${head.shard === fullCrl ? 'full' : head.shard}`
    const kept = this.#rows.get(key)
    const row = kept?.number === head.number ? kept : await this.#store.crls.latest(head.authorityId, head.shard)
    if (row === null || row.crl.length === 0) return null
    this.#drop(key)
    this.#rows.set(key, row)
    this.#bytes += row.crl.length
    for (const oldest of this.#rows.keys()) {
      if (this.#bytes <= limits.crlContentsKeptBytes || oldest === key) break
      this.#drop(oldest)
    }
    return row
  }

  #drop(key: string): void {
    this.#bytes -= this.#rows.get(key)?.crl.length ?? 0
    this.#rows.delete(key)
  }
}

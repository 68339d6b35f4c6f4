/** A store that fails once, before or after one of the writes that it is asked for, as a disk or a database does. */
import { HubError } from '../../src/core/errors.ts'
import type { Store, Transaction } from '../../src/hub/ports/store.ts'

/** Where it fails: the n-th write, counted from 1, and whether that write has happened. */
export interface Fault {
  readonly at: number
  readonly when: 'before' | 'after'
}

/** Methods of tables that write. */
const writes = /^(?:insert|insertAll|update|complete|append|appendAll|save|saveAll|saveShard|set|remove|removeAll)$/

export class FaultyStore {
  readonly store: Store
  /** Every write that was asked for, commits among them, by name. */
  readonly asked: string[] = []
  readonly #fault: Fault | null

  constructor(store: Store, fault: Fault | null) {
    this.#fault = fault
    this.store = { ...store, write: (work) => this.#step('commit', () => store.write((tx) => work(this.#watched(tx)))) }
  }

  get hasFailed(): boolean {
    return this.#fault !== null && this.asked.length >= this.#fault.at
  }

  #watched(tx: Transaction): Transaction {
    return new Proxy(tx, {
      get: (target, table: keyof Transaction) =>
        new Proxy(target[table], {
          get: (methods, name: string) => {
            const method = Reflect.get(methods, name)
            if (typeof method !== 'function' || !writes.test(name)) return method
            return (...args: readonly unknown[]) => this.#step(`${table}.${name}`, () => method.apply(methods, args))
          },
        }),
    })
  }

  /** A commit is counted when it is asked for, so before the writes in it. */
  async #step<T>(name: string, work: () => Promise<T>): Promise<T> {
    this.asked.push(name)
    const when = this.asked.length === this.#fault?.at ? this.#fault.when : null
    const refusal = new HubError('store-unavailable', `the disk fails ${when} ${name}`)
    if (when === 'before') throw refusal
    const value = await work()
    if (when === 'after') throw refusal
    return value
  }
}

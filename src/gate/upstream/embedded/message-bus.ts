/**
 * Who is subscribed to what, for Aedes: what its mqemitter is, over a tree that is walked as the topic says. That one searches
 * all that could match in tables of words, which takes twice the time.
 */
import type { Message } from './aedes-types.ts'
import { FilterTree } from './filter-tree.ts'

type Listener = (message: Message, done: () => void) => void

export class MessageBus {
  readonly #listeners = new FilterTree<Listener, Listener>()

  /** @param done called in a later turn */
  on(filter: string, listener: Listener, done?: () => void): this {
    this.#listeners.set(filter, listener, listener)
    if (done !== undefined) setImmediate(done)
    return this
  }

  /** @param done called in a later turn; the listener hears nothing from now on */
  removeListener(filter: string, listener: Listener, done?: () => void): this {
    this.#listeners.delete(filter, listener)
    if (done !== undefined) setImmediate(done)
    return this
  }

  /** @param done called when all who got the message are done with it */
  emit(message: Message, done: () => void = () => {}): this {
    const listeners: Listener[] = []
    this.#listeners.match(message.topic, (listener) => listeners.push(listener))
    let left = listeners.length
    if (left === 0) done()
    // Whatever one of them met is nothing to who has sent it: how a client ends is told elsewhere.
    const settle = () => {
      if (--left === 0) done()
    }
    for (const listener of listeners) listener(message, settle)
    return this
  }

  close(done: () => void): this {
    setImmediate(done)
    return this
  }
}

/**
 * Answers that are kept for requests with an idempotency key, so that a request which is sent again after its answer was
 * lost does not act again. An answer is written in the transaction of the act itself: both are there or neither is.
 *
 * Answers may hold secrets. They are sealed with a key that is derived from the caller's API secret, of which the registry
 * has only a hash, so that the database alone does not reveal them.
 */
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto'
import { HubError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import type { Caller } from './authorise.ts'
import type { Clock } from './ports/clock.ts'
import type { Random } from './ports/random.ts'
import type { Idempotency, IdempotencyReader, Store, Transaction } from './ports/store.ts'

interface Hub {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
}

/** A request that can be told again. */
export interface KeyedRequest {
  readonly caller: Pick<Caller, 'id' | 'derivedKey'>
  /** What the caller calls it: 1 to `limits.idempotencyKeyCharsMax` visible ASCII characters. */
  readonly key: string
  /** SHA-256 over all that is asked. */
  readonly requestHash: Uint8Array
}

/**
 * Does the work of a request once. Its answer is kept with what it does; whoever asks the same again within
 * `limits.answersKeptSec` gets that answer. Work that throws leaves nothing, and its key is free.
 *
 * @param work answers a JSON value; everything it writes goes through the store it is given
 * @throws HubError `idempotency-key-reused` when the key was used for another request; what the work throws
 */
export async function answerOnce<Answer>(
  hub: Hub,
  request: KeyedRequest,
  work: (store: Store) => Promise<Answer>,
): Promise<{ readonly answer: Answer; readonly replayed: boolean }> {
  const place = new AnswerPlace(request, '')
  // Answers are looked for inside the transaction: the same request may come twice at once, and what was done is not to be
  // acknowledged again before it is as safe as it was to be the first time.
  return hub.store.write(async (tx) => {
    const nowMs = hub.clock.nowMs()
    const known = await place.read(tx.idempotency, nowMs)
    if (known !== undefined) return { answer: known as Answer, replayed: true }
    const answer = await work(storeWithin(hub.store, tx))
    await place.write(tx.idempotency, hub.random, nowMs, answer)
    return { answer, replayed: false }
  })
}

/**
 * The same for work whose transactions are its own, because what it is about to sign must be on disk before it signs, or something in it
 * is slow: the work itself keeps its answer, in the transaction that ends it. Of two that come at once, both may work; it bears that.
 */
export async function answerOnceWithin<Answer>(
  hub: Hub,
  request: KeyedRequest,
  work: (keep: KeepAnswer) => Promise<Answer>,
): Promise<{ readonly answer: Answer; readonly replayed: boolean }> {
  const place = new AnswerPlace(request, '')
  const nowMs = hub.clock.nowMs()
  // As an act, not as a look: what was done is not acknowledged again before it is as safe as it was to be the first time.
  const known = await hub.store.write((tx) => place.read(tx.idempotency, nowMs))
  if (known !== undefined) return { answer: known as Answer, replayed: true }
  const keep: KeepAnswer = (tx, answer) => place.write(tx.idempotency, hub.random, nowMs, answer)
  return { answer: await work(keep), replayed: false }
}

/** Keeps what will be answered, in the transaction that ends the act. */
export type KeepAnswer = (tx: Pick<Transaction, 'idempotency'>, answer: unknown) => Promise<void>

/**
 * The same for work that is more than one transaction: its answer is kept behind it. Where the hub dies in between, whoever
 * asks again is told what the work says to somebody who asks twice.
 *
 * @throws HubError `idempotency-key-reused` when the key was used for another request; what the work throws
 */
export async function answerAfter<Answer>(
  hub: Hub,
  request: KeyedRequest,
  work: (store: Store) => Promise<Answer>,
): Promise<{ readonly answer: Answer; readonly replayed: boolean }> {
  const place = new AnswerPlace(request, '')
  const known = await hub.store.write((tx) => place.read(tx.idempotency, hub.clock.nowMs()))
  if (known !== undefined) return { answer: known as Answer, replayed: true }
  const answer = await work(hub.store)
  await hub.store.write((tx) => place.write(tx.idempotency, hub.random, hub.clock.nowMs(), answer))
  return { answer, replayed: false }
}

/** A store whose writing is a part of a transaction that is open. */
export function storeWithin(store: Store, tx: Transaction): Store {
  return { ...store, write: (unit) => unit(tx) }
}

/** Where one answer is kept. A long request keeps several, each for a part of its work. */
export class AnswerPlace {
  readonly #name: string
  readonly #requestHash: Uint8Array
  readonly #sealKey: Uint8Array

  /** @param part tells the answers of one request apart */
  constructor({ caller, key, requestHash }: KeyedRequest, part: string) {
    // Neither the caller's id nor a key has a line feed in it, so no two of these are the same text.
    this.#name = createHash('sha256').update(`${caller.id}\n${key}\n${part}`).digest('hex')
    this.#requestHash = requestHash
    this.#sealKey = caller.derivedKey(`idempotency\n${key}`)
  }

  /**
   * @returns the answer, or undefined where none is kept any more
   * @throws HubError `idempotency-key-reused`
   */
  async read(answers: IdempotencyReader, nowMs: number): Promise<unknown> {
    const row = await answers.find(this.#name)
    if (row === null || isOld(row.createdAtMs, nowMs)) return undefined
    if (!Buffer.from(row.requestHash).equals(this.#requestHash)) {
      throw new HubError('idempotency-key-reused', 'this idempotency key was used for another request')
    }
    return JSON.parse(opened(this.#sealKey, this.#name, row.answer))
  }

  async write(answers: Idempotency, random: Random, nowMs: number, answer: unknown): Promise<void> {
    // One that is too old to be given may still lie here.
    await answers.remove(this.#name)
    await answers.insert({
      key: this.#name,
      requestHash: this.#requestHash,
      answer: sealed(this.#sealKey, this.#name, random, JSON.stringify(answer)),
      createdAtMs: nowMs,
    })
  }
}

function isOld(createdAtMs: number, nowMs: number): boolean {
  return nowMs - createdAtMs >= limits.answersKeptSec * 1000
}

const nonceBytes = 12
const tagBytes = 16

/** AES-256-GCM: nonce, tag, ciphertext. The place is authenticated too, so that answers cannot be exchanged in the database. */
function sealed(key: Uint8Array, name: string, random: Random, text: string): Uint8Array {
  const nonce = random.bytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(name))
  const content = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), content])
}

function opened(key: Uint8Array, name: string, bytes: Uint8Array): string {
  const [nonce, tag] = [bytes.subarray(0, nonceBytes), bytes.subarray(nonceBytes, nonceBytes + tagBytes)]
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
    decipher.setAAD(Buffer.from(name)).setAuthTag(tag)
    return Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]).toString('utf8')
  } catch (error) {
    throw new HubError('internal', 'a kept answer cannot be opened', { cause: error })
  }
}

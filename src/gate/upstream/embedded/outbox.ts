/** The messages of QoS 1 and 2 of one session: those that wait, in order, and those that are sent and not acknowledged. */
import type { QoS } from '../../../core/mqtt/protocol.ts'
import { type Budget, heldBytes } from './budget.ts'
import type { MessageProperties } from './message-properties.ts'

/** One message for one session. */
export interface Delivery {
  readonly topic: string
  readonly payload: Buffer
  readonly qos: QoS
  readonly retain: boolean
  readonly properties: MessageProperties | undefined
  /** When it expires, in milliseconds since the epoch, or null. */
  readonly expiresAtMs: number | null
  readonly identifiers: readonly number[]
  /** Called when it is sent or given up; for what is sent one after the other, such as retained messages. */
  readonly onGone: (() => void) | null
}

/** A message that has been given a packet identifier. */
export interface Sent {
  readonly packetId: number
  readonly delivery: Delivery
  /** It may have reached the client before (MQTT-3.3.1-1). */
  readonly dup: boolean
}

const packetIdMax = 0xffff

export class Outbox {
  readonly #budget: Budget
  readonly #identity: string
  /** A ring would be quicker still; the head is cut off when it is long. */
  #waiting: Delivery[] = []
  #head = 0
  /** In the order of sending; null when only the PUBREL is left of it, or when it need not be sent again. */
  readonly #sent = new Map<number, Delivery | null>()
  /** Identifiers of what was sent on an earlier connection and must be sent again. */
  #again: number[] = []
  #lastPacketId = 0

  /** @param identity whose share of the budget it uses */
  constructor(budget: Budget, identity: string) {
    this.#budget = budget
    this.#identity = identity
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > this.#head || this.#again.length > 0
  }

  /** Messages in it, sent or not. */
  get size(): number {
    return this.#waiting.length - this.#head + this.#sent.size
  }

  /** Messages that the client has been sent on this connection and has not acknowledged. */
  get unacknowledged(): number {
    return this.#sent.size - this.#again.length
  }

  /** False when it, its identity, or all together hold as much as they may. */
  put(delivery: Delivery, countMax: number): boolean {
    if (this.size >= countMax || !this.#budget.take(this.#identity, heldBytes(delivery))) return false
    this.#waiting.push(delivery)
    return true
  }

  /**
   * Takes the next message to send; null when there is none.
   *
   * @param isKept whether it may have to be sent again on another connection
   */
  next(nowMs: number, isKept: boolean): Sent | null {
    const packetId = this.#again.shift()
    const before = packetId === undefined ? null : this.#sent.get(packetId)
    if (packetId !== undefined && before != null) {
      if (!isKept) this.#drop(packetId, before)
      return { packetId, delivery: before, dup: true }
    }
    for (;;) {
      const delivery = this.#takeWaiting()
      if (delivery === null) return null
      if (delivery.expiresAtMs === null || delivery.expiresAtMs > nowMs) return this.#send(delivery, isKept)
      this.#giveBack(delivery)
      delivery.onGone?.()
    }
  }

  #takeWaiting(): Delivery | null {
    const delivery = this.#waiting[this.#head]
    if (delivery === undefined) return null
    this.#head++
    if (this.#head === this.#waiting.length || this.#head >= 1_024) {
      this.#waiting = this.#waiting.slice(this.#head)
      this.#head = 0
    }
    return delivery
  }

  #send(delivery: Delivery, isKept: boolean): Sent {
    do {
      this.#lastPacketId = (this.#lastPacketId % packetIdMax) + 1
    } while (this.#sent.has(this.#lastPacketId))
    const packetId = this.#lastPacketId
    this.#sent.set(packetId, delivery)
    if (!isKept) this.#drop(packetId, delivery)
    return { packetId, delivery, dup: false }
  }

  /** The client has the message: only its identifier is still in use. */
  release(packetId: number): void {
    const delivery = this.#sent.get(packetId)
    if (delivery != null) this.#drop(packetId, delivery)
  }

  #drop(packetId: number, delivery: Delivery): void {
    this.#giveBack(delivery)
    this.#sent.set(packetId, null)
  }

  #giveBack(delivery: Delivery): void {
    this.#budget.giveBack(this.#identity, heldBytes(delivery))
  }

  /** The client has acknowledged the message to the end. */
  settle(packetId: number): void {
    this.release(packetId)
    if (!this.#sent.delete(packetId)) return
    if (this.#again.length > 0) this.#again = this.#again.filter((id) => id !== packetId)
  }

  /**
   * The client is back: what it has not acknowledged is sent again (MQTT-4.4.0-1).
   *
   * @returns the identifiers of which only the PUBREL is to be sent again
   */
  restart(): readonly number[] {
    const released: number[] = []
    this.#again = []
    for (const [packetId, delivery] of this.#sent) (delivery === null ? released : this.#again).push(packetId)
    return released
  }

  clear(): void {
    for (const delivery of this.#waiting.slice(this.#head)) {
      this.#giveBack(delivery)
      delivery.onGone?.()
    }
    for (const packetId of this.#sent.keys()) this.release(packetId)
    this.#waiting = []
    this.#head = 0
    this.#sent.clear()
    this.#again = []
  }
}

/** Opens one client's way to the broker and waits for the answer to its CONNECT. */
import { HubError } from '../core/errors.ts'
import { type Connack, parseConnack } from '../core/mqtt/connack.ts'
import { encodeGoodbye } from '../core/mqtt/disconnect.ts'
import { type ProtocolVersion, packetType, typeOf } from '../core/mqtt/protocol.ts'
import { PacketSplitter } from '../core/mqtt/splitter.ts'
import { Violation } from '../core/mqtt/violation.ts'
import type { Upstream, UpstreamClient, UpstreamConnection, UpstreamListener } from '../hub/ports/upstream.ts'
import type { Ending, GateLimits } from './options.ts'

export interface OpenUpstream {
  readonly connection: UpstreamConnection
  readonly connack: Connack
  /** Holds what came behind the CONNACK. */
  readonly splitter: PacketSplitter
  /** From now on this listener hears the broker, except for what the splitter holds already. */
  attach(listener: UpstreamListener): void
}

/** Room for what a broker adds to a message on its way: subscription identifiers. */
const ADDED_BYTES_MAX = 4 * 1024

/** Closes a way on which the broker has let a client in that the gate turns away: it was never there, and leaves no will. */
export function withdraw({ connection }: OpenUpstream): void {
  connection.send(encodeGoodbye())
  connection.close()
}

export class UpstreamOpening implements UpstreamListener {
  /** The open way, or why there is none; then nothing is left open. */
  readonly outcome: Promise<OpenUpstream | Ending>
  readonly #version: ProtocolVersion
  readonly #splitter: PacketSplitter
  #connection: UpstreamConnection | null = null
  #settle: (outcome: OpenUpstream | Ending) => void = () => {}
  #isSettled = false
  #listener: UpstreamListener | null = null
  #closedWhileUnattended: { readonly broken: boolean } | null = null
  readonly #timer: NodeJS.Timeout

  constructor(
    upstream: Upstream,
    client: UpstreamClient,
    limits: Pick<GateLimits, 'upstreamConnectMs' | 'packetBytesMax'>,
  ) {
    this.#version = client.connect.version
    this.#splitter = new PacketSplitter(limits.packetBytesMax + ADDED_BYTES_MAX)
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve
    })
    this.#timer = setTimeout(
      () => this.#fail(unavailable('the broker did not answer the CONNECT in time')),
      limits.upstreamConnectMs,
    )
    try {
      this.#connection = upstream.connect(client, this)
    } catch (error) {
      if (!(error instanceof HubError)) throw error
      this.#fail({ code: error.code, sentence: error.message })
    }
  }

  /** Gives up: the way is closed at once. A broker that has let the client in meanwhile forgets its will. */
  abandon(): void {
    if (!this.#isSettled) this.#connection?.send(encodeGoodbye())
    this.#fail(unavailable('the connection ended before the broker answered'))
  }

  onData(bytes: Uint8Array): void {
    if (this.#listener !== null) {
      this.#listener.onData(bytes)
      return
    }
    this.#splitter.feed(bytes)
    if (this.#isSettled) return
    const packet = this.#splitter.take()
    if (packet !== null) this.#answer(packet)
  }

  #answer(packet: Buffer | Violation): void {
    const connack =
      packet instanceof Violation || typeOf(packet) !== packetType.connack ? null : parseConnack(packet, this.#version)
    if (connack === null || connack instanceof Violation) {
      this.#fail(refused('the first packet of the broker is not a well-formed CONNACK'))
    } else if (connack.code !== 0) {
      this.#fail(refused(`the broker answered the CONNECT with code 0x${connack.code.toString(16).padStart(2, '0')}`))
    } else if (this.#connection !== null && !this.#isSettled) {
      this.#isSettled = true
      clearTimeout(this.#timer)
      const connection = this.#connection
      const attach = (listener: UpstreamListener) => this.#attach(listener)
      this.#settle({ connection, connack, splitter: this.#splitter, attach })
    }
  }

  #attach(listener: UpstreamListener): void {
    this.#listener = listener
    if (this.#closedWhileUnattended !== null) listener.onClose(this.#closedWhileUnattended.broken)
  }

  onDrain(): void {
    this.#listener?.onDrain()
  }

  onClose(broken: boolean): void {
    this.#connection = null
    if (this.#listener !== null) this.#listener.onClose(broken)
    else if (this.#isSettled) this.#closedWhileUnattended = { broken }
    else this.#fail(unavailable('the broker closed the connection before it answered the CONNECT'))
  }

  #fail(ending: Ending): void {
    if (this.#isSettled) return
    this.#isSettled = true
    clearTimeout(this.#timer)
    this.#connection?.close()
    this.#settle(ending)
  }
}

function unavailable(sentence: string): Ending {
  return { code: 'upstream-unavailable', sentence }
}

function refused(sentence: string): Ending {
  return { code: 'upstream-refused', sentence }
}

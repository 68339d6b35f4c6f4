/**
 * The broker behind the gate. It sees whole MQTT packets that the guard has validated and answers with a stream of bytes.
 */

import type { Connect } from '../../core/mqtt/connect.ts'

/** Who comes, and what it said. The CONNECT that the broker sees is made by the upstream, which knows what its broker needs. */
export interface UpstreamClient {
  readonly identityId: string
  /** Whose the client id is: the identity's id, or a word that is the id of none, such as in quarantine. */
  readonly owner: string
  /** The client's own, or the one that the gate chose; never empty. */
  readonly clientId: string
  /** The CONNECT as it was read. */
  readonly connect: Connect
  /** What the broker is to be told; 0 for no limit on silence. */
  readonly keepAliveSec: number
}

/** What an upstream can do; the gate answers for what it cannot. */
export interface UpstreamAbilities {
  readonly protocolVersions: ReadonlySet<4 | 5>
  readonly qosMax: 0 | 1 | 2
  readonly retain: boolean
  readonly sharedSubscriptions: boolean
  /** Characters that no topic may hold; left out where there are none. */
  readonly topicCharactersRefused?: string | undefined
}

/** What the gate does with one connection's traffic. */
export interface UpstreamListener {
  /** Bytes from the broker for this client. */
  onData(bytes: Uint8Array): void
  /** The broker has taken what was sent: the gate may send again after `send` answered false. */
  onDrain(): void
  /** The connection ended from the broker's side. `broken` when the upstream itself failed. Called at most once, last. */
  onClose(broken: boolean): void
}

/** One client's way to the broker. */
export interface UpstreamConnection {
  /** Hands over whole packets, of which the CONNECT is none: it is on its way already. False asks to pause until `onDrain`; the bytes are taken all the same. */
  send(bytes: Uint8Array): boolean
  /** Asks the broker to hold back, or to go on, with what it sends to this client. */
  pause(): void
  resume(): void
  /** Ends the connection without a DISCONNECT, so that the broker sends the will; `onClose` is not called. */
  close(): void
}

export interface Upstream {
  /** As far as it is known now: a broker that comes back may be another. */
  readonly abilities: UpstreamAbilities
  /** True while new connections can be served. */
  isAvailable(): boolean
  /**
   * Opens a way and sends the client's CONNECT on it.
   *
   * @throws HubError `upstream-unavailable`, or another refusal of this client
   */
  connect(client: UpstreamClient, listener: UpstreamListener): UpstreamConnection
  /** Ends all connections and stops. */
  stop(): Promise<void>
}

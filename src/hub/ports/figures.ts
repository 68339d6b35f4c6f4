/** What can be read of a hub at any moment; what happens is told instead: see `observer.ts`. */

/** Of the gate: what it holds now, and what has passed it since its start. */
export interface GateFigures {
  /** Sessions that have had their CONNACK. */
  readonly sessions: number
  /** Connections between accept and CONNECT. */
  readonly halfOpen: number
  readonly connectionsAccepted: number
  /** Whole MQTT packets and bytes of sessions, from their CONNACK on. */
  readonly packetsFromClients: number
  readonly bytesFromClients: number
  readonly packetsToClients: number
  readonly bytesToClients: number
}

/** How far one that follows the events has come. */
export interface FollowerFigures {
  /** What follows, as in `gate`. */
  readonly name: string
  /** Events that it has not handled. */
  readonly unhandled: number
  /** Age of the oldest of these; 0 when there is none. */
  readonly oldestUnhandledMs: number
}

/** How the registry takes writes; it costs nothing to ask. */
export interface StoreHealth {
  /** Units of work that wait for a transaction. */
  readonly unitsWaiting: number
  /** False from a unit that the database refused to the next transaction that it took whole. */
  readonly isWriting: boolean
}

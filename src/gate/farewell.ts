/** How a connection is closed: what the client is told, and that the socket really ends. */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { type FailureName, failure, toldToClient } from '../core/failure/catalogue.ts'
import { wireForms } from '../core/failure/wire-forms.ts'
import { encodeDisconnect, isServerDisconnectReason } from '../core/mqtt/disconnect.ts'
import { withReasonString } from '../core/mqtt/encoding.ts'
import { type ProtocolVersion, reason } from '../core/mqtt/protocol.ts'
import type { Ending } from './options.ts'

/** Reasons for a DISCONNECT where the one of the failure's kind is too general or stands in a CONNACK only. */
const disconnectReasons: Readonly<Partial<Record<FailureName, number>>> = {
  'keep-alive-timeout': reason.keepAliveTimeout,
  'session-taken-over': reason.sessionTakenOver,
  'certificate-in-two-places': reason.sessionTakenOver,
  'hub-stopping': reason.serverShuttingDown,
  'slow-reader': reason.quotaExceeded,
  'upstream-unavailable': reason.serverBusy,
  'registry-unreachable': reason.serverBusy,
}

/** Endings after which a client may not stay a moment longer, not even to hear why; it has no will either. */
const abruptStages: ReadonlySet<string> = new Set(['certificate', 'identity'])

export function endsAbruptly(code: FailureName): boolean {
  return abruptStages.has(failure(code).stage)
}

/** The reason code of MQTT 5 in a DISCONNECT. */
export function disconnectReason(ending: Ending): number {
  const code = ending.reasonV5 ?? disconnectReasons[ending.code] ?? wireForms[failure(ending.code).kind].reasonV5
  return isServerDisconnectReason(code) ? code : reason.unspecified
}

/** The DISCONNECT that tells an ending, or null under MQTT 3.1.1, which has none. */
export function farewellPacket(ending: Ending, version: ProtocolVersion, bytesMax: number): Buffer | null {
  if (version === 4) return null
  const code = disconnectReason(ending)
  return withReasonString(
    (sentence) => encodeDisconnect(code, sentence),
    toldToClient(ending.code, ending.sentence),
    bytesMax,
  )
}

/** One connection at its three heights. */
export interface Sockets {
  /** Where MQTT is spoken: TLS itself, or the WebSocket in it. */
  readonly socket: Duplex
  readonly tls: TLSSocket
  /** The TCP socket below. */
  readonly raw: Socket
}

/**
 * Says a last word and closes. What the client still sends is read and thrown away, so that closing does not reset the
 * connection before the word has arrived; after `farewellMs` the socket is destroyed anyhow.
 */
export function closeGently({ socket, raw }: Sockets, lastWord: Buffer | null, farewellMs: number): void {
  if (socket.destroyed) return
  const timer = setTimeout(() => {
    socket.destroy()
    raw.destroy()
  }, farewellMs).unref()
  socket.once('close', () => clearTimeout(timer))
  if (lastWord === null) socket.end()
  else socket.end(lastWord)
  socket.resume()
}

/** Turns of the event loop in which the kernel takes a last word, if it takes it at all; Linux needs 2 to 4. */
const LAST_WORD_TURNS = 16

/**
 * Closes the connection of a client that may not stay a moment longer. The last word is offered to the kernel, and the
 * socket is gone as soon as the kernel has it. Where the client has stopped reading the kernel has no room: then what waits
 * for the client is dropped by a TCP reset.
 */
export function closeAtOnce({ socket, raw }: Sockets, lastWord: Buffer | null): void {
  if (socket.destroyed) return
  socket.once('finish', () => socket.destroy())
  if (lastWord === null) socket.end()
  else socket.end(lastWord)
  let turns = 0
  const look = () => {
    if (socket.destroyed) return
    if (turns++ < LAST_WORD_TURNS) setImmediate(look)
    else reset({ socket, raw })
  }
  look()
}

/** Drops the connection and everything that waits in it. */
export function reset({ socket, raw }: Pick<Sockets, 'socket' | 'raw'>): void {
  if (!raw.destroyed) raw.resetAndDestroy()
  socket.destroy()
}

/**
 * A session: from the CONNACK to the end. It moves bytes between the client and the broker, past the guard, and ends when
 * either side, the clock or the registry says so.
 */
import { assert } from '../core/errors.ts'
import { type FailureName, failure } from '../core/failure/catalogue.ts'
import type { Identity } from '../core/identity/identity.ts'
import { limits as catalogue } from '../core/limits.ts'
import { type Connect, withSessionExpiry } from '../core/mqtt/connect.ts'
import { encodeGoodbye } from '../core/mqtt/disconnect.ts'
import type { PacketSplitter } from '../core/mqtt/splitter.ts'
import { Violation } from '../core/mqtt/violation.ts'
import type { Rights, Subject } from '../core/policy/rights.ts'
import type { SessionEnd } from '../hub/ports/observer.ts'
import type { UpstreamConnection, UpstreamListener } from '../hub/ports/upstream.ts'
import { receiveMaximumOf } from './connack.ts'
import { connectDenial } from './connect-guard.ts'
import { startDeadline } from './deadline.ts'
import { closeAtOnce, closeGently, endsAbruptly, farewellPacket, reset, type Sockets } from './farewell.ts'
import { type ClientVerdict, Guard } from './guard.ts'
import type { KeptSession } from './kept-sessions.ts'
import type { LiveConnection } from './live-connection.ts'
import type { Ending, GateContext } from './options.ts'
import { PacketRun } from './packet-run.ts'
import { type Known, recordClosing, recordRefusal } from './record.ts'
import { addedProperties } from './sender-properties.ts'
import { SilenceWatch } from './silence.ts'
import type { OpenUpstream } from './upstream-opening.ts'
import { willDenial } from './will-guard.ts'

export interface SessionParts {
  readonly sockets: Sockets
  readonly live: LiveConnection
  readonly known: Known
  readonly client: Connect
  readonly subject: Subject
  readonly rights: Rights
  /** Whose the client id is; see `UpstreamClient`. */
  readonly owner: string
  /** The broker keeps the session when the connection ends. */
  readonly isKeepable: boolean
  /** What is known of the session of an earlier connection that the broker has kept; null where it has none. */
  readonly resumed: { readonly known: KeptSession | null } | null
  readonly upstream: OpenUpstream
  /** What the client sent behind its CONNECT. */
  readonly fromClient: PacketSplitter
  /** 0 for no limit on silence. */
  readonly keepAliveSec: number
  /** Last good second of what proved the identity; null when it has no end. */
  readonly notAfterSec: number | null
}

/** Bytes that may wait for a client before the broker is asked to hold back. */
const WAITING_BYTES_EASY = 64 * 1024

/** How long a client is left unread at most before it is looked at again whether its rate has changed. */
const HELD_BACK_MS_MAX = 5_000

export class Session implements UpstreamListener {
  readonly #context: GateContext
  readonly #parts: SessionParts
  readonly #connection: UpstreamConnection
  readonly #guard: Guard
  #subject: Subject
  readonly #toBroker: PacketRun
  readonly #toClient: PacketRun
  /** When a denial of each kind was last written down as an attempt; what comes soon after it is counted and logged. */
  readonly #deniedAtMs = new Map<FailureName, number>()
  #silence: SilenceWatch | null = null
  #giveUpDeadline: () => void = () => {}
  #stallTimer: NodeJS.Timeout | undefined
  #departureTimer: NodeJS.Timeout | undefined
  #isBrokerFull = false
  #isHeldBack = false
  /** Bytes that have come are held back, now or between two rests. */
  #isBehind = false
  #rights: Rights
  #giveUpChange: () => void = () => {}
  #holdTimer: NodeJS.Timeout | undefined
  #isClientFull = false
  #isOver = false

  constructor(context: GateContext, parts: SessionParts) {
    this.#context = context
    this.#parts = parts
    this.#connection = parts.upstream.connection
    this.#toBroker = new PacketRun((bytes) => this.#sendToBroker(bytes))
    this.#toClient = new PacketRun((bytes) => parts.sockets.socket.write(bytes))
    this.#subject = parts.subject
    this.#rights = parts.rights
    const { upstream, limits, deniedPublishV3 = 'close', identityInMessages = false } = context
    const receiveMaximum = receiveMaximumOf(parts.upstream.connack, limits)
    const added = identityInMessages ? addedProperties(parts.subject) : null
    const rules = { abilities: upstream.abilities, limits, receiveMaximum, deniedPublishV3, added }
    this.#guard = new Guard(parts.client, parts.rights, rules, {
      toBroker: (packet) => this.#toBroker.add(packet),
      toClient: (packet) => {
        context.traffic.packetsToClients++
        context.traffic.bytesToClients += packet.length
        this.#toClient.add(packet)
      },
      onDenied: (code, sentence) => this.#noteDenial({ code, sentence }),
    })
  }

  /** Sends the CONNACK and lets traffic flow. */
  start(connack: Buffer): void {
    const { sockets, live, upstream, keepAliveSec, notAfterSec } = this.#parts
    const { socket } = sockets
    live.onClose((code) => this.#onTold(code))
    socket.write(connack)
    socket.on('drain', () => this.#onClientDrained())
    socket.once('close', () => this.#onClientGone())
    if (keepAliveSec > 0) {
      this.#silence = new SilenceWatch(keepAliveSec * 1500, () => this.#onSilence(keepAliveSec))
    }
    if (notAfterSec !== null) {
      this.#giveUpDeadline = startDeadline(this.#context.clock, (notAfterSec + 1) * 1000, () =>
        this.#endSilently({ code: 'certificate-expired', sentence: 'the certificate ended while the session lasted' }),
      )
    }
    if (this.#parts.resumed !== null) this.#guard.resume(this.#parts.resumed.known)
    upstream.attach(this)
    this.#awaitChange(this.#parts.rights)
    live.onRefresh((identity) => this.#refreshRights(identity))
    this.#drainBroker()
    this.#drainClient()
    if (this.#isOver) return
    socket.on('data', this.#onClientData)
    this.#readOn()
    if (socket.destroyed) this.#onClientGone()
  }

  readonly #onClientData = (chunk: Buffer): void => {
    this.#silence?.heard()
    this.#parts.fromClient.feed(chunk)
    this.#drainClient()
  }

  #drainClient(): void {
    const { fromClient } = this.#parts
    let ending: Ending | 'disconnected' | null = null
    while (ending === null && !this.#isOver) {
      if (this.#holdBack()) {
        this.#leaveUnread(fromClient.giveBack())
        break
      }
      const packet = fromClient.take()
      if (packet === null) {
        this.#isBehind = false
        break
      }
      ending = packet instanceof Violation ? packet : this.#fromClient(packet)
    }
    if (this.#isOver) return
    this.#toBroker.flush()
    this.#flushToClient()
    if (ending === 'disconnected') this.#depart()
    else if (ending !== null) this.#end(ending)
  }

  /** Leaves a client unread for a while that sends more than it may. True while it is left so. */
  #holdBack(): boolean {
    if (this.#isHeldBack || this.#isOver) return this.#isHeldBack
    const ms = this.#guard.holdBackMs(() => performance.now())
    if (ms <= 0) return false
    this.#isHeldBack = true
    this.#parts.sockets.socket.pause()
    this.#noteHoldingBack()
    this.#holdTimer = setTimeout(
      () => {
        this.#isHeldBack = false
        if (!this.#holdBack()) this.#readOn()
      },
      Math.min(ms, HELD_BACK_MS_MAX),
    )
    return true
  }

  /** Once, until all is read that has come: a flood is held back again and again. */
  #noteHoldingBack(): void {
    if (this.#isBehind) return
    this.#isBehind = true
    const sentence = `the identity publishes more than ${this.#rights.limits.publishesPerSecondMax} messages a second and is held back`
    this.#noteDenial({ code: 'publishes-too-many', sentence })
  }

  /**
   * Puts bytes back in front of what the client has sent. In the socket they wait like all that has not been read, also for a
   * client that has closed its end meanwhile.
   */
  #leaveUnread(bytes: Buffer): void {
    const { socket } = this.#parts.sockets
    if (bytes.length > 0 && !socket.readableEnded && !socket.destroyed) socket.unshift(bytes)
  }

  /** Reads from the client, unless something is in the way. */
  #readOn(): void {
    if (this.#isOver || this.#isBrokerFull || this.#isHeldBack) return
    this.#silence?.heard()
    this.#parts.sockets.socket.resume()
  }

  /** Asks for the rights anew: the policy has changed, the identity has, or the time has come. */
  #refreshRights(identity: Identity | null): void {
    if (this.#isOver) return
    if (identity !== null) {
      assert(identity.id === this.#subject.identity.id, 'a session is told of another identity than its own')
      // Two changes may be read at once: what is older says nothing any more.
      if (identity.version < this.#subject.identity.version) return
      this.#subject = { ...this.#subject, identity }
    }
    const rights = this.#context.rightsOf(this.#subject)
    this.#rights = rights
    const refusal = connectDenial(rights, 'the identity may not be connected any more')
    if (refusal !== null) {
      this.#endSilently(refusal)
      return
    }
    const { will } = this.#parts.client
    const denial = (will === null ? null : willDenial(will, rights)) ?? this.#guard.setRights(rights)
    if (denial !== null) {
      this.#endSilently(denial)
      return
    }
    this.#toBroker.flush()
    this.#flushToClient()
    this.#awaitChange(rights)
    this.#holdBack()
  }

  #awaitChange({ changesAtMs }: Rights): void {
    this.#giveUpChange()
    if (changesAtMs === null || this.#isOver) return
    // Behind this turn, so that rights which say "now" cannot ask again and again within one call.
    const timer = setImmediate(() => {
      this.#giveUpChange = startDeadline(this.#context.clock, changesAtMs, () => this.#refreshRights(null))
    })
    this.#giveUpChange = () => clearImmediate(timer)
  }

  #fromClient(packet: Buffer): ClientVerdict {
    const { traffic } = this.#context
    traffic.packetsFromClients++
    traffic.bytesFromClients += packet.length
    return this.#guard.fromClient(packet)
  }

  #sendToBroker(bytes: Buffer): void {
    if (this.#isOver || this.#connection.send(bytes) || this.#isBrokerFull) return
    this.#isBrokerFull = true
    this.#parts.sockets.socket.pause()
  }

  onDrain(): void {
    if (!this.#isBrokerFull) return
    this.#isBrokerFull = false
    this.#readOn()
  }

  onData(bytes: Uint8Array): void {
    if (this.#isOver) return
    this.#parts.upstream.splitter.feed(bytes)
    this.#drainBroker()
  }

  #drainBroker(): void {
    const { splitter } = this.#parts.upstream
    let ending: Ending | null = null
    while (ending === null && !this.#isOver) {
      const packet = splitter.take()
      if (packet === null) break
      ending =
        packet instanceof Violation
          ? { code: 'upstream-refused', sentence: `the stream of the broker is broken: ${packet.sentence}` }
          : this.#guard.fromBroker(packet)
    }
    if (this.#isOver) return
    this.#toBroker.flush()
    this.#flushToClient()
    if (ending !== null) this.#end(ending)
  }

  #flushToClient(): void {
    const { socket } = this.#parts.sockets
    const { clientBufferBytesMax, clientStallMs } = this.#context.limits
    this.#toClient.flush()
    const waiting = socket.writableLength
    if (waiting > clientBufferBytesMax) {
      this.#end({ code: 'slow-reader', sentence: `${waiting} bytes wait for a client that does not read` })
    } else if (waiting > WAITING_BYTES_EASY && !this.#isClientFull) {
      this.#isClientFull = true
      this.#connection.pause()
      this.#stallTimer = setTimeout(
        () => this.#end({ code: 'slow-reader', sentence: `the client has not read for ${clientStallMs / 1000} s` }),
        clientStallMs,
      )
    }
  }

  #onClientDrained(): void {
    if (!this.#isClientFull) return
    this.#isClientFull = false
    clearTimeout(this.#stallTimer)
    if (!this.#isOver) this.#connection.resume()
  }

  #noteDenial(ending: Ending): void {
    const { known } = this.#parts
    this.#context.log.debug('packet denied', { identity: known.identityId, code: ending.code, why: ending.sentence })
    this.#context.observer.packetDenied(ending.code)
    const nowMs = this.#context.clock.nowMs()
    if (nowMs - (this.#deniedAtMs.get(ending.code) ?? Number.NEGATIVE_INFINITY) < catalogue.denialSampledEveryMs) return
    this.#deniedAtMs.set(ending.code, nowMs)
    recordRefusal(this.#context, known, ending)
  }

  #onSilence(keepAliveSec: number): void {
    // A client whose bytes the gate itself leaves unread is not silent.
    if (this.#isBrokerFull || this.#isHeldBack)
      this.#silence = new SilenceWatch(keepAliveSec * 1500, () => this.#onSilence(keepAliveSec))
    else {
      const sentence = `the client was silent for longer than 1.5 times its keep-alive of ${keepAliveSec} s`
      this.#end({ code: 'keep-alive-timeout', sentence })
    }
  }

  /** The registry or the gate wants the session closed. Whose identity or credential is good no more has no will either. */
  #onTold(code: FailureName): void {
    const ending = { code, sentence: `the session was closed: ${failure(code).cause}` }
    if (endsAbruptly(code)) this.#endSilently(ending)
    else this.#end(ending)
  }

  /** The broker's side has ended. */
  onClose(broken: boolean): void {
    clearTimeout(this.#departureTimer)
    if (this.#isOver) return
    if (broken) this.#end({ code: 'upstream-unavailable', sentence: 'the broker behind the gate failed' })
    else this.#end({ code: 'upstream-refused', sentence: 'the broker behind the gate ended the session' })
  }

  /** The client has said DISCONNECT: the broker closes once it has read it. */
  #depart(): void {
    if (!this.#leave('client-disconnect')) return
    if (this.#guard.leavesWill) this.#watchWill()
    const { sockets } = this.#parts
    this.#context.log.debug('session ended', { identity: this.#parts.known.identityId, by: 'client' })
    this.#departureTimer = setTimeout(() => this.#connection.close(), this.#context.limits.farewellMs)
    closeGently(sockets, null, this.#context.limits.farewellMs)
  }

  /** The TCP connection is gone without a DISCONNECT: the broker sends the will. */
  #onClientGone(): void {
    if (!this.#leave('connection-lost')) return
    this.#connection.close()
    this.#watchWill()
    this.#context.log.debug('session ended', { identity: this.#parts.known.identityId, code: 'connection-lost' })
  }

  /** The gate ends the session, and the broker forgets the will: told goodbye it does; else it would publish it. */
  #endSilently(ending: Ending): void {
    if (!this.#isOver) this.#connection.send(encodeGoodbye())
    this.#end(ending, false)
  }

  /** The gate ends the session. Nothing more reaches the broker or the client, but for the reason. */
  #end(ending: Ending, hasWill = true): void {
    if (!this.#leave(ending.code)) return
    this.#connection.close()
    if (hasWill && ending.code !== 'hub-stopping') this.#watchWill()
    const { sockets, client, known } = this.#parts
    const { limits, log } = this.#context
    const lastWord = farewellPacket(ending, client.version, client.packetBytesMax)
    const isAbrupt = endsAbruptly(ending.code)
    if (ending.code === 'slow-reader' || (isAbrupt && this.#isClientFull)) reset(sockets)
    else if (isAbrupt) closeAtOnce(sockets, lastWord)
    else closeGently(sockets, lastWord, limits.farewellMs)
    log.info('session ended', { identity: known.identityId, code: ending.code, why: ending.sentence })
    if (ending.code !== 'hub-stopping') recordClosing(this.#context, known, ending)
  }

  /** True the first time: the session counts no more and hears no more. */
  #leave(cause: SessionEnd): boolean {
    if (this.#isOver) return false
    this.#isOver = true
    this.#context.observer.sessionEnded(cause)
    this.#silence?.stop()
    this.#giveUpDeadline()
    this.#giveUpChange()
    clearTimeout(this.#stallTimer)
    clearTimeout(this.#holdTimer)
    this.#parts.sockets.socket.off('data', this.#onClientData)
    this.#remember()
    this.#context.live.remove(this.#parts.live)
    return true
  }

  /** The will may wait in the broker, and must not outlive its right. */
  #watchWill(): void {
    const { live, owner, client, notAfterSec } = this.#parts
    const { lastExpirySec } = this.#guard
    const connect = lastExpirySec === null ? client : withSessionExpiry(client, lastExpirySec)
    this.#context.wills.watch(this.#context, { live, owner, notAfterSec, connect, subject: this.#subject })
  }

  #remember(): void {
    const { owner, isKeepable } = this.#parts
    const { clientId } = this.#subject
    if (isKeepable) this.#context.kept.keep(owner, clientId, this.#guard.kept)
    else this.#context.kept.forget(owner, clientId)
  }
}

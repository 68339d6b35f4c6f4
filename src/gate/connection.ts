/**
 * A connection from the end of its TLS handshake to its CONNACK: the certificate is judged, the CONNECT read and checked,
 * the first use confirmed, the broker reached. Each step has one outcome; the last one is the attempt's reason and, for
 * MQTT 5, the Reason String.
 */
import { createHash } from 'node:crypto'
import { HubError } from '../core/errors.ts'
import { failure } from '../core/failure/catalogue.ts'
import type { Anchored } from '../core/identification/anchor.ts'
import { endOf, isQuarantined } from '../core/identity/proof.ts'
import { type Connect, parseConnect, protocolOf } from '../core/mqtt/connect.ts'
import { numberIn, property } from '../core/mqtt/properties.ts'
import { type ProtocolVersion, reason } from '../core/mqtt/protocol.ts'
import type { PacketSplitter } from '../core/mqtt/splitter.ts'
import { protocolError, Violation } from '../core/mqtt/violation.ts'
import type { Rights, Subject } from '../core/policy/rights.ts'
import type { Entrant, Presented, Refusal } from '../hub/gate-admission.ts'
import type { UpstreamClient } from '../hub/ports/upstream.ts'
import { discardSession } from './broker-visit.ts'
import { chainVerdict } from './chain-verdict.ts'
import { admittingConnack, refusingConnack } from './connack.ts'
import { noteFailure } from './connect-failures.ts'
import { connectDenial } from './connect-guard.ts'
import { type FirstPacket, readFirstPacket } from './connect-reading.ts'
import { closeGently, type Sockets } from './farewell.ts'
import { isClientAlert } from './handshake-failure.ts'
import type { SecureConnection } from './listener.ts'
import type { LiveConnection } from './live-connection.ts'
import type { Ending, GateContext } from './options.ts'
import { unreleasedDenial } from './publish-judgement.ts'
import { type Known, knownOf, recordAdmission, recordRefusal } from './record.ts'
import { addedBytesMax } from './sender-properties.ts'
import { Session } from './session.ts'
import { topicUnsupported } from './topic-support.ts'
import { type OpenUpstream, UpstreamOpening, withdraw } from './upstream-opening.ts'
import { willDenial } from './will-guard.ts'

/** Serves one connection. It never rejects; it ends when a session has begun or the connection was refused. */
export async function serveConnection(
  context: GateContext,
  { sockets, address, connected, explain }: SecureConnection,
): Promise<void> {
  const peer = sockets.tls.getPeerX509Certificate()
  const certificate = peer?.raw ?? null
  const fingerprint = certificate === null ? null : createHash('sha256').update(certificate).digest('hex')
  const live = context.live.open(fingerprint, address)
  const known: Known = { ...knownOf(address), tlsVersion: sockets.tls.getProtocol() }
  const verdict = chainVerdict(sockets.tls, context.listener, peer)
  const connection = new Connection(context, sockets, live, known, explain)
  try {
    await connection.serve({ certificate, listener: context.listener.name, verdict }, connected)
  } catch (error) {
    context.log.error('connection failed', { address, error })
    connection.refuse({ code: 'internal', sentence: 'something went wrong inside the hub' })
  } finally {
    connected()
    if (!live.isSession) context.live.remove(live)
  }
}

/** Where nobody has a password. */
const noPasswords: Refusal = {
  admitted: false,
  code: 'password-wrong',
  sentence: 'this gate takes no passwords',
  identityId: null,
  summary: null,
}

/** What a session keeps of a CONNECT: without the password, which has done its work. */
function forgetful(connect: Connect): Connect {
  return connect.password === null ? connect : { ...connect, password: null }
}

/** How a refusal reaches this client, as far as its CONNECT was understood. */
interface Answer {
  readonly version: ProtocolVersion
  readonly bytesMax: number
}

type Names = Pick<UpstreamClient, 'identityId' | 'owner' | 'clientId'>

/** All that a session is made of. */
interface Start {
  readonly entrant: Entrant
  readonly subject: Subject
  readonly owner: string
  readonly connect: Connect
  readonly splitter: PacketSplitter
  readonly rights: Rights
  readonly upstream: OpenUpstream
  /** The client id that the gate chose, or null. */
  readonly assigned: string | null
}

class Connection {
  readonly #context: GateContext
  readonly #sockets: Sockets
  readonly #live: LiveConnection
  readonly #known: Known
  readonly #explain: (error: Error) => Ending
  #answer: Answer | null = null
  /** Where else its certificate is in use, where that is so. */
  #otherPlace: string | null = null

  constructor(
    context: GateContext,
    sockets: Sockets,
    live: LiveConnection,
    known: Known,
    explain: (error: Error) => Ending,
  ) {
    this.#context = context
    this.#sockets = sockets
    this.#live = live
    this.#known = known
    this.#explain = explain
  }

  async serve(presented: Presented, connected: () => void): Promise<void> {
    const { clientCertificate } = this.#context.listener
    if (presented.certificate === null && clientCertificate !== 'required') await this.#serveByPassword(connected)
    else await this.#serveByCertificate(presented, connected)
  }

  /** Without a certificate, who somebody says to be stands in the CONNECT. */
  async #serveByPassword(connected: () => void): Promise<void> {
    const first = await readFirstPacket(this.#sockets.socket, this.#context.limits)
    connected()
    const read = this.#read(first)
    if ('code' in read) return this.refuse(read)
    const judgement = await this.#judgeBy((address) => {
      const { username, password } = read.connect
      const isGone = () => this.#sockets.socket.destroyed
      return this.#context.passwords?.judge({ username, password, address, isGone }) ?? noPasswords
    })
    if (!judgement.admitted) return this.refuse(judgement)
    if (judgement.proof.kind === 'password') this.#context.live.prove(this.#live, judgement.proof.passwordId)
    if (this.#live.closedWith !== null) this.refuse(this.#closing())
    else await this.#admit(judgement, forgetful(read.connect), read.splitter)
  }

  async #serveByCertificate(presented: Presented, connected: () => void): Promise<void> {
    const [judgement, first] = await Promise.all([
      this.#judgeBy(() => this.#context.admission.judge(presented)),
      readFirstPacket(this.#sockets.socket, this.#context.limits),
    ])
    connected()
    const connect = this.#read(first)
    // What the registry says goes before what the client did.
    if (!judgement.admitted) this.refuse(judgement)
    else if (this.#live.closedWith !== null) this.refuse(this.#closing())
    else if ('code' in connect) this.refuse(connect)
    else await this.#admit(judgement, forgetful(connect.connect), connect.splitter)
  }

  async #judgeBy(
    judge: (address: string) => Promise<Entrant | Refusal> | Refusal,
  ): Promise<Entrant | (Ending & { readonly admitted: false })> {
    let judgement: Entrant | Refusal
    try {
      judgement = await judge(this.#known.address)
    } catch (error) {
      return { admitted: false, ...this.#registryFailure(error) }
    }
    this.#known.certificate = judgement.summary
    if (!judgement.admitted) {
      this.#known.identityId = judgement.identityId
      return judgement
    }
    this.#known.identityId = judgement.identity.id
    this.#live.isPinned = judgement.proof.kind === 'pinned'
    this.#context.live.identify(this.#live, judgement.identity.id, anchoredOf(judgement))
    return judgement
  }

  #registryFailure(error: unknown): Ending {
    this.#context.log.error('the registry gave no answer about a client', { error })
    if (error instanceof HubError) return { code: error.code, sentence: error.message }
    return { code: 'internal', sentence: 'something went wrong inside the hub' }
  }

  /** Why the connection was told to close while it was on its way. */
  #closing(): Ending {
    const code = this.#live.closedWith ?? 'internal'
    return { code, sentence: failure(code).cause }
  }

  #read(first: FirstPacket): Ending | { readonly connect: Connect; readonly splitter: PacketSplitter } {
    switch (first.kind) {
      case 'timeout': {
        const sentence = `TLS succeeded but no CONNECT came within ${this.#context.limits.connectMs / 1000} s`
        return { code: 'connect-timeout', sentence }
      }
      case 'closed': {
        if (first.error !== null && isClientAlert(first.error)) return this.#explain(first.error)
        return { code: 'closed-before-connect', sentence: failure('closed-before-connect').cause }
      }
      case 'violation':
        this.#noteProtocol(first.head)
        return first.violation
      case 'packet': {
        this.#noteProtocol(first.packet)
        const connect = parseConnect(first.packet)
        if (connect instanceof Violation) return connect
        this.#known.clientId = connect.clientId
        this.#answer = { version: connect.version, bytesMax: connect.packetBytesMax }
        return { connect, splitter: first.splitter }
      }
    }
  }

  /** Finds out how to answer a CONNECT that may be wrong in everything but its first fields. */
  #noteProtocol(packet: Buffer): void {
    const protocol = protocolOf(packet)
    if (protocol?.name === 'MQIsdp') this.#known.mqttVersion = '3.1'
    else if (protocol?.name !== 'MQTT') return
    else if (protocol.level === 4) this.#known.mqttVersion = '3.1.1'
    else if (protocol.level === 5) this.#known.mqttVersion = '5'
    const version = protocol !== null && protocol.level >= 5 && protocol.level < 0x80 ? 5 : 4
    this.#answer = { version, bytesMax: this.#context.limits.connectBytesMax }
  }

  async #admit(entrant: Entrant, connect: Connect, splitter: PacketSplitter): Promise<void> {
    const assigned = connect.clientId === '' ? Buffer.from(this.#context.random.bytes(8)).toString('hex') : null
    const clientId = assigned ?? connect.clientId
    this.#known.clientId = clientId
    const subject = this.#subject(entrant, clientId)
    const rights = this.#context.rightsOf(subject)
    const owner = clientOwner(entrant)
    const refusal =
      this.#refusalOf(connect, rights) ??
      this.#claim(owner, clientId, rights.limits.sessionsMax) ??
      (await this.#confirm(entrant))
    if (this.#live.closedWith !== null) this.refuse(this.#closing())
    else if (refusal !== null) this.refuse(refusal)
    else {
      const names = { identityId: entrant.identity.id, owner, clientId }
      const upstream = (await this.#dropDenied(connect, names, rights)) ?? (await this.#reachBroker(connect, names))
      if (this.#live.closedWith !== null) {
        if (!('code' in upstream)) withdraw(upstream)
        this.refuse(this.#closing())
      } else if ('code' in upstream) this.refuse(upstream)
      else this.#begin({ entrant, subject, owner, connect, splitter, rights, upstream, assigned })
    }
  }

  #subject({ identity, proof }: Entrant, clientId: string): Subject {
    const { address, tlsVersion } = this.#known
    return { identity, proof, clientId, connection: { listener: this.#context.listener.name, address, tlsVersion } }
  }

  #claim(owner: string, clientId: string, ownerMax: number | null): Ending | null {
    const { live, places, clock } = this.#context
    const takenOver = (holder: LiveConnection) => {
      const code = places.takeover(holder, this.#live, clock.nowMs())
      if (code === 'certificate-in-two-places') this.#otherPlace = holder.address
      return code
    }
    if (live.claim(this.#live, owner, clientId, ownerMax, takenOver)) return null
    return { code: 'too-many-sessions', sentence: failure('too-many-sessions').cause }
  }

  /** Has the broker drop a session in which messages wait that may not be published any more; null when the client may go on. */
  async #dropDenied(connect: Connect, names: Names, rights: Rights): Promise<Ending | null> {
    const { kept } = this.#context
    const known = kept.find(names.owner, names.clientId)
    const denial = known === null || connect.cleanStart ? null : unreleasedDenial(known.unreleased, rights)
    if (denial === null) return null
    const visit = discardSession(this.#context, names, connect)
    this.#live.onClose(() => visit.abandon())
    const failed = await visit.outcome
    if (failed !== null) return failed
    kept.forget(names.owner, names.clientId)
    this.#context.observer.packetDenied(denial.code)
    recordRefusal(this.#context, this.#known, {
      ...denial,
      sentence: `the session of an earlier connection was dropped: ${denial.sentence}`,
    })
    return null
  }

  async #reachBroker(connect: Connect, names: Names): Promise<OpenUpstream | Ending> {
    const { upstream, limits } = this.#context
    // The gate watches the client's silence. The broker does too, later, in case the gate is gone.
    const keepAliveSec = Math.min(connect.keepAliveSec * 2, 0xffff)
    const opening = new UpstreamOpening(upstream, { ...names, connect, keepAliveSec }, limits)
    this.#live.onClose(() => opening.abandon())
    return await opening.outcome
  }

  #begin(start: Start): void {
    const { entrant, subject, owner, connect, splitter, rights, upstream, assigned } = start
    const { live, kept, wills, limits, upstream: broker, identityInMessages = false } = this.#context
    const { abilities } = broker
    const added = identityInMessages ? addedBytesMax(subject) : 0
    const connack = admittingConnack(upstream.connack, connect, abilities, limits, assigned, added)
    if (connack.length > connect.packetBytesMax) {
      withdraw(upstream)
      const sentence = `the client takes packets of ${connect.packetBytesMax} bytes, and its CONNACK has ${connack.length}`
      this.refuse({ code: 'packet-too-large', sentence })
      return
    }
    splitter.afterConnect(limits.packetBytesMax, connect.isV31)
    live.start(this.#live)
    wills.end(owner, subject.clientId)
    this.#context.halfOpen.succeeded(this.#known.address)
    const isDevice = entrant.identity.kind === 'device'
    recordAdmission(this.#context, this.#known, this.#otherPlace ?? (isDevice ? live.elsewhere(this.#live) : null))
    const session = new Session(this.#context, {
      sockets: this.#sockets,
      live: this.#live,
      known: this.#known,
      client: connect,
      subject,
      rights,
      owner,
      isKeepable: connect.version === 5 ? connect.sessionExpirySec > 0 : !connect.cleanStart,
      resumed: upstream.connack.sessionPresent ? { known: kept.find(owner, subject.clientId) } : null,
      upstream,
      fromClient: splitter,
      keepAliveSec: numberIn(upstream.connack.properties, property.serverKeepAlive) ?? connect.keepAliveSec,
      notAfterSec: endOf(entrant.proof),
    })
    session.start(connack)
  }

  /** Why an admitted client's CONNECT cannot be served, or null. */
  #refusalOf({ version, will }: Connect, rights: Rights): Ending | null {
    const { upstream } = this.#context
    const { abilities } = upstream
    if (!abilities.protocolVersions.has(version)) {
      const sentence = `the broker behind the gate does not speak MQTT ${version === 5 ? '5' : '3.1.1'}`
      return { code: 'protocol-version-unsupported', sentence }
    }
    const denial = connectDenial(rights, 'the identity may not connect')
    if (denial !== null) return denial
    const willRefusal = will === null ? null : willDenial(will, rights)
    if (willRefusal !== null) return willRefusal
    if (will !== null && will.qos > abilities.qosMax) {
      return protocolError(`a will of QoS ${will.qos} is not offered here`, reason.qosNotSupported)
    }
    if (will?.retain === true && !abilities.retain) {
      return protocolError('a retained will is not offered here', reason.retainNotSupported)
    }
    const unsupported = will === null ? null : topicUnsupported(will.topic, abilities, reason.topicInvalid)
    if (unsupported !== null) return unsupported
    if (!upstream.isAvailable()) {
      return { code: 'upstream-unavailable', sentence: failure('upstream-unavailable').cause }
    }
    return null
  }

  /** Puts the first use of a credential on disk; null when the client may go on. */
  async #confirm(entrant: Entrant): Promise<Ending | null> {
    try {
      const { admission, passwords } = this.#context
      const isByPassword = entrant.proof.kind === 'password' && passwords !== undefined
      const confirmed = await (isByPassword ? passwords : admission).confirmUse(entrant)
      return confirmed.admitted ? null : confirmed
    } catch (error) {
      return this.#registryFailure(error)
    }
  }

  /** Tells the client, as far as it can be told, and closes. */
  refuse(ending: Ending): void {
    noteFailure(this.#context, this.#known.address, ending)
    recordRefusal(this.#context, this.#known, ending)
    const { farewellMs } = this.#context.limits
    const answer = this.#answer
    const connack = answer === null ? null : refusingConnack(ending, answer.version, answer.bytesMax)
    // Not even a refusal may be longer than the client says it can take (MQTT-3.1.2-24).
    closeGently(
      this.#sockets,
      connack !== null && connack.length > (answer?.bytesMax ?? 0) ? null : connack,
      farewellMs,
    )
  }
}

/** What must stay good of a certificate of a trust anchor; null for other proofs. */
function anchoredOf({ proof }: Entrant): Anchored | null {
  return proof.kind === 'anchored' ? proof.anchored : null
}

/**
 * Whose a client id is. In quarantine it is nobody else's: its holder takes over no session of the identity, and reads nothing
 * of what waits for one. No id of an identity has a colon.
 */
function clientOwner({ identity, proof }: Entrant): string {
  return isQuarantined(proof) ? `quarantine:${identity.id}` : identity.id
}

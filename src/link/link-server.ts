/**
 * The hub's end of gate links: a TLS 1.3 listener that gates on other machines connect to. Each shows its certificate and is judged
 * by the registry as everywhere. What a connection is for is said by ALPN: control (`control.ts`), or the way to the broker, which
 * is handed on to whoever serves that.
 */
import { constants } from 'node:crypto'
import type { AddressInfo, Socket } from 'node:net'
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from 'node:tls'
import { toldToClient } from '../core/failure/catalogue.ts'
import { limits } from '../core/limits.ts'
import type { Secret } from '../core/secret.ts'
import { GateTotals } from '../hub/gate-figures.ts'
import type { Admission, Judgement } from '../hub/judgement.ts'
import { listenFailure } from '../hub/listen-failure.ts'
import { peerAddress, sourceOf } from '../hub/peer-address.ts'
import type { NewAttempt } from '../hub/ports/attempts.ts'
import type { Clock } from '../hub/ports/clock.ts'
import type { HubEvent } from '../hub/ports/events.ts'
import type { GateFigures } from '../hub/ports/figures.ts'
import type { Log } from '../hub/ports/log.ts'
import { linkLimits } from './limits.ts'
import { LinkedGate, type LinkedGateParts, type LinkedGateView } from './linked-gate.ts'
import { ListenerNames } from './listener-names.ts'
import { linkProtocols } from './messages.ts'

/** Key and chain of the listener, in PEM. */
export interface LinkCertificate {
  readonly key: Secret
  readonly chain: string
}

export interface LinkServerOptions extends Omit<LinkedGateParts, 'log' | 'listeners' | 'totals'> {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  readonly certificate: LinkCertificate
  readonly admission: Admission
  readonly attempts: { record(attempt: NewAttempt): void }
  readonly clock: Clock
  readonly log: Log
}

export interface LinkServer {
  readonly address: { readonly host: string; readonly port: number }
  /** Shows another certificate from now on; links that stand keep theirs. */
  setCertificate(certificate: LinkCertificate): void
  /** Tells every gate of new events, and looks again at those that one is about. */
  noted(event: HubEvent): void
  /** Looks again whether every gate may still be there. */
  sweep(): Promise<void>
  /** Those that are connected now. */
  gates(): readonly LinkedGateView[]
  /** Of all of them, also what those had counted that are gone. */
  figures(): GateFigures
  stop(): Promise<void>
}

/** As it stands in attempts. */
export const linkListenerName = 'gate-link'

type Admitted = Judgement & { readonly admitted: true }

/** @throws HubError `port-taken`, `address-unavailable` */
export async function startLinkServer(options: LinkServerOptions): Promise<LinkServer> {
  const door = new LinkDoor(options)
  const address = await door.listen()
  return {
    address,
    setCertificate: (certificate) => door.setCertificate(certificate),
    noted: (event) => door.noted(event),
    sweep: () => door.sweep(),
    gates: () => door.gates(),
    figures: () => door.figures(),
    stop: () => door.stop(),
  }
}

class LinkDoor {
  readonly #options: LinkServerOptions
  readonly #server: Server
  /** Connections that nobody has been admitted on yet, with the source that each comes from. */
  readonly #pending = new Map<Socket, string>()
  readonly #gates = new Map<string, LinkedGate>()
  readonly #listeners = new ListenerNames()
  readonly #totals = new GateTotals()
  readonly #beat: NodeJS.Timeout

  constructor(options: LinkServerOptions) {
    this.#options = options
    this.#server = createServer({
      ...secureContext(options.certificate),
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: limits.tlsHandshakeMs,
      ALPNProtocols: Object.values(linkProtocols),
    })
    this.#server.on('connection', (raw: Socket) => this.#accept(raw))
    this.#server.on('tlsClientError', (_error, socket) => socket.destroy())
    this.#server.on('secureConnection', (socket) => {
      socket.on('error', () => {})
      this.#admit(socket).catch((error: unknown) => {
        this.#options.log.error('a gate could not be judged', { error })
        socket.destroy()
      })
    })
    this.#beat = setInterval(() => this.#each((gate) => gate.say({ kind: 'beat' })), linkLimits.beatMs)
  }

  async listen(): Promise<LinkServer['address']> {
    const { host, port } = this.#options
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once('error', reject)
        this.#server.listen({ host, port }, resolve)
      })
    } catch (error) {
      clearInterval(this.#beat)
      throw listenFailure(error, 'gate-link', host, port)
    }
    return { host, port: (this.#server.address() as AddressInfo).port }
  }

  setCertificate(certificate: LinkCertificate): void {
    this.#server.setSecureContext(secureContext(certificate))
  }

  noted(event: HubEvent): void {
    this.#each((gate) => gate.tellEvents())
    if (!('identityId' in event)) return
    const gate = this.#gates.get(event.identityId)
    if (gate === undefined) return
    gate.look().catch((error: unknown) => this.#options.log.error('a gate could not be judged', { error }))
  }

  async sweep(): Promise<void> {
    await Promise.all([...this.#gates.values()].map((gate) => gate.look()))
  }

  gates(): readonly LinkedGateView[] {
    return [...this.#gates.values()].map((gate) => gate.view())
  }

  figures(): GateFigures {
    return this.#totals.sum()
  }

  async stop(): Promise<void> {
    clearInterval(this.#beat)
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#each((gate) => gate.close('hub-stopping'))
    for (const raw of this.#pending.keys()) raw.destroy()
    await closed
  }

  /** A place is taken until the certificate is judged, so that strangers cost little and gates find room. */
  #accept(raw: Socket): void {
    const source = sourceOf(peerAddress(raw.remoteAddress))
    const fromThere = [...this.#pending.values()].filter((each) => each === source).length
    if (this.#pending.size >= linkLimits.pendingMax || fromThere >= linkLimits.pendingPerAddressMax) {
      raw.destroy()
      return
    }
    this.#pending.set(raw, source)
    raw.once('close', () => this.#pending.delete(raw))
    raw.setNoDelay(true)
    raw.setKeepAlive(true, linkLimits.silenceMs)
  }

  async #admit(socket: TLSSocket): Promise<void> {
    const protocol = socket.alpnProtocol
    const certificate = socket.getPeerX509Certificate()?.raw ?? null
    const isControl = protocol === linkProtocols.control
    if (!isControl && protocol !== linkProtocols.broker) return void socket.destroy()
    const judged = await this.#options.admission.judge(certificate)
    const judgement = judged.admitted ? await this.#options.admission.confirmUse(judged) : judged
    if (isControl || !judgement.admitted) this.#record(socket, judgement)
    if (!judgement.admitted) return this.#turnAway(socket, isControl, judgement)
    if (socket.destroyed || certificate === null) return
    this.#settle(socket)
    // The way to the broker is open to gates that are there: its sessions end with their control connection.
    const gate = isControl ? this.#gateOf(judgement) : (this.#gates.get(judgement.identity.id) ?? null)
    if (gate === null) return void socket.destroy()
    if (isControl) gate.addControl(socket, certificate)
    else gate.setBroker(socket, certificate)
    // What happened between the judgement and now was told of a gate that was not here yet.
    await gate.look()
  }

  /** The connection has a place of its own from now on. */
  #settle(socket: TLSSocket): void {
    const { remoteAddress, remotePort } = socket
    for (const raw of this.#pending.keys()) {
      if (raw.remotePort === remotePort && raw.remoteAddress === remoteAddress) this.#pending.delete(raw)
    }
  }

  #gateOf({ identity }: Admitted): LinkedGate | null {
    const known = this.#gates.get(identity.id)
    if (known !== undefined) return known
    const { log } = this.#options
    if (this.#gates.size >= linkLimits.gatesMax) {
      log.error('there are too many gates', { gate: identity.id, max: linkLimits.gatesMax })
      return null
    }
    const parts = { ...this.#options, listeners: this.#listeners, totals: this.#totals }
    const gate = new LinkedGate(identity.id, parts, () => {
      if (this.#gates.get(identity.id) === gate) this.#gates.delete(identity.id)
    })
    this.#gates.set(identity.id, gate)
    return gate
  }

  #turnAway(socket: TLSSocket, isControl: boolean, { code, sentence }: Judgement & { readonly admitted: false }): void {
    const { log } = this.#options
    log.warn('a gate is refused', { address: peerAddress(socket.remoteAddress), code, why: sentence })
    if (!isControl) return void socket.destroy()
    LinkedGate.refuse(socket, code, toldToClient(code, sentence))
  }

  #record(socket: TLSSocket, judgement: Judgement): void {
    const { summary } = judgement
    const identityId = judgement.admitted ? judgement.identity.id : judgement.identityId
    const outcome = judgement.admitted
      ? ({ stage: 'session', outcome: 'admitted', code: null, sentence: `the gate ${identityId} is linked` } as const)
      : ({ stage: 'certificate', outcome: 'refused', code: judgement.code, sentence: judgement.sentence } as const)
    this.#options.attempts.record({
      atMs: this.#options.clock.nowMs(),
      listener: linkListenerName,
      address: peerAddress(socket.remoteAddress),
      ...outcome,
      identityId,
      clientId: null,
      tlsVersion: socket.getProtocol(),
      mqttVersion: null,
      certificate: summary,
    })
  }

  #each(act: (gate: LinkedGate) => void): void {
    for (const gate of [...this.#gates.values()]) act(gate)
  }
}

/** All of it each time: `setSecureContext` resets what is left out. */
function secureContext({ key, chain }: LinkCertificate): SecureContextOptions {
  return {
    key: key.reveal(),
    cert: chain,
    // No names are sent to the client and no chain is built: the verdict is the registry's.
    ca: [],
    minVersion: 'TLSv1.3',
    secureOptions: constants.SSL_OP_NO_TICKET,
  }
}

/**
 * One gate on another machine, as the hub has it: a control connection, for a moment two of them while the gate goes over to a new
 * certificate, and the connection to the broker. The broker connection lives as long as a control connection does: so a renewal
 * disturbs no session, and a revocation ends all.
 */
import type { TLSSocket } from 'node:tls'
import { HubError } from '../core/errors.ts'
import { type FailureName, toldToClient } from '../core/failure/catalogue.ts'
import type { IdentityId } from '../core/identity/id.ts'
import { certificateFingerprint } from '../core/x509/certificate.ts'
import type { ClaimedUse } from '../hub/confirm-claimed-use.ts'
import type { Entrant, Refusal } from '../hub/gate-admission.ts'
import { countFor, type GateObserver } from '../hub/gate-counts.ts'
import type { GateTotals } from '../hub/gate-figures.ts'
import type { Admission } from '../hub/judgement.ts'
import { peerAddress } from '../hub/peer-address.ts'
import type { NewAttempt } from '../hub/ports/attempts.ts'
import type { Log } from '../hub/ports/log.ts'
import type { Observer } from '../hub/ports/observer.ts'
import type { Store } from '../hub/ports/store.ts'
import type { UpstreamAbilities } from '../hub/ports/upstream.ts'
import { Control, finishSoon } from './control.ts'
import { encodeFrame } from './frames.ts'
import { linkLimits } from './limits.ts'
import type { ListenerNames } from './listener-names.ts'
import {
  abilitiesText,
  type ClaimOutcome,
  fitted,
  type GateMessage,
  type HubMessage,
  readGateMessage,
} from './messages.ts'

export interface LinkedGateParts {
  readonly admission: Admission
  readonly store: Pick<Store, 'credentials'>
  /** Version of this program, and of the tables of the registry. */
  readonly version: string
  readonly registryVersion: number
  /** Those of the broker, as far as they are known now. */
  abilities(): UpstreamAbilities
  /** Serves the frames of a gate on its way to the broker. */
  serveBroker(socket: TLSSocket): void
  /** Judges and writes a first use that a gate tells of. */
  confirmUse(use: ClaimedUse): Promise<Entrant | Refusal>
  /** Has the CRLs fetched that a certificate of a trust anchor names; the certificate is judged there. */
  wantCrl(anchorId: string, certificate: Uint8Array): void
  readonly attempts: { record(attempt: NewAttempt): void }
  readonly listeners: ListenerNames
  readonly observer: GateObserver & Pick<Observer, 'revocationApplied'>
  readonly totals: GateTotals
  readonly log: Log
}

export interface LinkedGateView {
  readonly id: string
  /** Where it connects from. */
  readonly address: string
  readonly sessions: number
}

interface Shown<T> {
  readonly way: T
  /** What the connection was made with, in DER. */
  readonly certificate: Uint8Array
}

export class LinkedGate {
  readonly id: IdentityId
  readonly #parts: LinkedGateParts
  readonly #onGone: () => void
  /** The newest last. */
  #controls: (Shown<Control> & { readonly address: string })[] = []
  #broker: Shown<TLSSocket> | null = null
  #sessions = 0
  #confirming = 0
  #looking: Promise<void> | null = null
  #mustLookAgain = false
  #areEventsDue = false

  constructor(id: IdentityId, parts: LinkedGateParts, onGone: () => void) {
    this.id = id
    this.#parts = parts
    this.#onGone = onGone
  }

  /** Tells a gate on its first connection why it may not come in. */
  static refuse(socket: TLSSocket, code: FailureName, sentence: string): void {
    socket.write(encodeFrame({ kind: 'refused', code, sentence: fitted(sentence) } satisfies HubMessage))
    finishSoon(socket)
  }

  view(): LinkedGateView {
    return { id: this.id, address: this.#controls.at(-1)?.address ?? 'unknown', sessions: this.#sessions }
  }

  addControl(socket: TLSSocket, certificate: Uint8Array): void {
    const address = peerAddress(socket.remoteAddress)
    let isGreeted = false
    const control = new Control(socket, {
      onMessage: (value) => {
        const message = readGateMessage(value)
        if ((message.kind === 'hello') === isGreeted) {
          throw new HubError('gate-link-malformed', 'the gate said its hello twice or not at first')
        }
        if (message.kind !== 'hello') return this.#hear(control, message)
        isGreeted = true
        this.#welcome(control, message.version)
      },
      onEnd: (why) => this.#forget(control, why),
    })
    this.#controls.push({ way: control, certificate, address })
    // Two where it renews; of three the first is one that nobody has closed.
    if (this.#controls.length > 2)
      this.#drop(this.#controls[0]?.way, 'gate-link-replaced', 'another has taken its place')
  }

  setBroker(socket: TLSSocket, certificate: Uint8Array): void {
    this.#broker?.way.destroy()
    const broker = { way: socket, certificate }
    this.#broker = broker
    socket.once('close', () => {
      if (this.#broker === broker) this.#broker = null
    })
    this.#parts.serveBroker(socket)
  }

  say(message: HubMessage): void {
    for (const { way } of this.#controls) way.say(message)
  }

  /** There are new events; those of one turn are told once. */
  tellEvents(): void {
    if (this.#areEventsDue) return
    this.#areEventsDue = true
    queueMicrotask(() => {
      this.#areEventsDue = false
      this.say({ kind: 'events' })
    })
  }

  /**
   * Judges what its connections were made with once more and closes those that may not be there any more.
   *
   * @throws HubError what the registry says; then all stay
   */
  look(): Promise<void> {
    if (this.#looking !== null) {
      this.#mustLookAgain = true
      return this.#looking
    }
    this.#looking = this.#lookUntilDone().finally(() => {
      this.#looking = null
    })
    return this.#looking
  }

  close(code: FailureName): void {
    for (const { way } of [...this.#controls]) this.#drop(way, code, toldToClient(code))
    this.#broker?.way.destroy()
  }

  async #lookUntilDone(): Promise<void> {
    do {
      this.#mustLookAgain = false
      for (const { way, certificate } of [...this.#controls]) {
        const judgement = await this.#parts.admission.judge(certificate)
        if (!judgement.admitted) this.#drop(way, judgement.code, judgement.sentence)
      }
      const broker = this.#broker
      if (broker === null) continue
      if (this.#controls.length === 0 || !(await this.#mayStay(broker.certificate))) broker.way.destroy()
    } while (this.#mustLookAgain)
  }

  /** The certificate that the broker connection was made with may have ended in good order meanwhile, and in no other. */
  async #mayStay(certificate: Uint8Array): Promise<boolean> {
    const judgement = await this.#parts.admission.judge(certificate)
    if (judgement.admitted) return true
    if (judgement.code === 'certificate-superseded' || judgement.code === 'certificate-expired') return true
    if (judgement.code !== 'certificate-revoked') return false
    const credential = await this.#parts.store.credentials.find(certificateFingerprint(certificate))
    return credential?.revocationReason === 'superseded'
  }

  #welcome(control: Control, version: string): void {
    const { version: own, registryVersion, abilities, log } = this.#parts
    log.info('a gate is linked', { gate: this.id, version })
    control.say({
      kind: 'welcome',
      version: own,
      gateId: this.id,
      registryVersion,
      abilities: abilitiesText(abilities()),
    } satisfies HubMessage)
  }

  #hear(control: Control, message: Exclude<GateMessage, { readonly kind: 'hello' }>): void {
    const { attempts, observer, listeners, totals } = this.#parts
    switch (message.kind) {
      case 'told':
        for (const attempt of message.attempts) {
          attempts.record({ ...attempt, listener: listeners.of(attempt.listener, this.id) })
        }
        for (const each of message.counted) countFor(observer, each)
        return
      case 'revoked':
        // One that is longer is the difference of two clocks.
        if (message.afterMs <= linkLimits.lagMsMax) observer.revocationApplied('gate', message.afterMs)
        return
      case 'figures':
        if (this.#controls.at(-1)?.way !== control) return
        this.#sessions = message.figures.sessions
        totals.note(this.id, message.figures)
        return
      case 'crl-wanted':
        this.#parts.wantCrl(message.anchorId, Buffer.from(message.certificate, 'base64'))
        return
      case 'confirm':
        void this.#confirm(control, message.number, message.use)
        return
    }
  }

  async #confirm(control: Control, number: number, use: ClaimedUse): Promise<void> {
    this.#confirming++
    if (this.#confirming >= linkLimits.confirmsMax) control.hold()
    const outcome = await this.#outcomeOf(use)
    this.#confirming--
    if (this.#confirming <= linkLimits.confirmsMax / 2) control.goOn()
    const open = control.isOpen ? control : this.#controls.at(-1)?.way
    open?.say({ kind: 'confirmed', number, outcome } satisfies HubMessage)
  }

  async #outcomeOf(use: ClaimedUse): Promise<ClaimOutcome> {
    try {
      const judged = await this.#parts.confirmUse(use)
      if (judged.admitted) return { admitted: true }
      const { code, sentence, identityId } = judged
      return {
        admitted: false,
        code,
        sentence: fitted(sentence),
        identityId: (identityId as IdentityId | null) ?? null,
      }
    } catch (error) {
      if (error instanceof HubError)
        return { failed: error.code, message: fitted(error.message), hint: fitted(error.hint) }
      this.#parts.log.error('a first use could not be written', { gate: this.id, error })
      return { failed: 'internal', message: 'something went wrong inside the hub', hint: 'see the log of the hub' }
    }
  }

  #drop(control: Control | undefined, code: FailureName, sentence: string): void {
    if (control === undefined || !control.isOpen) return
    this.#parts.log.warn('a gate is cut off', { gate: this.id, code, why: sentence })
    control.finish({ kind: 'refused', code, sentence: fitted(toldToClient(code, sentence)) } satisfies HubMessage)
    this.#remove(control)
  }

  #forget(control: Control, why: HubError | null): void {
    if (why !== null) this.#parts.log.warn('the link of a gate is down', { gate: this.id, why: why.message })
    this.#remove(control)
  }

  #remove(control: Control): void {
    const before = this.#controls.length
    this.#controls = this.#controls.filter(({ way }) => way !== control)
    if (this.#controls.length > 0 || before === 0) return
    this.#broker?.way.destroy()
    this.#sessions = 0
    this.#parts.totals.gone(this.id)
    this.#parts.log.info('a gate is not linked any more', { gate: this.id })
    this.#onGone()
  }
}

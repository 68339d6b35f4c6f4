/**
 * A gate's end of its link. It stands or it does not: control connection and way to the broker come up together and go down
 * together, and after a pause it is tried again. Only a renewed certificate moves the control connection alone, so that no session
 * ends by it.
 */
import type { TLSSocket } from 'node:tls'
import { HubError } from '../core/errors.ts'
import type { FailureName } from '../core/failure/catalogue.ts'
import { limits } from '../core/limits.ts'
import { claimOf } from '../hub/confirm-claimed-use.ts'
import type { Entrant } from '../hub/gate-admission.ts'
import type { Log } from '../hub/ports/log.ts'
import type { Random } from '../hub/ports/random.ts'
import type { Upstream, UpstreamAbilities } from '../hub/ports/upstream.ts'
import { broken, Control } from './control.ts'
import { dialLink, type LinkAddress, type LinkTrust } from './dial.ts'
import { linkLimits } from './limits.ts'
import {
  abilitiesOf,
  type ClaimOutcome,
  type GateMessage,
  type HubMessage,
  linkProtocols,
  readHubMessage,
} from './messages.ts'

export interface GateLinkOptions {
  readonly hub: LinkAddress
  /** As they are now: both change when they are renewed. */
  trust(): LinkTrust
  readonly version: string
  /** Of the tables of the registry that this program knows. */
  readonly registryVersion: number
  /** Makes a way to the broker of an open connection. */
  openBroker(socket: TLSSocket, abilities: UpstreamAbilities): Promise<Upstream>
  /** There are new events in the registry. */
  onEvents(): void
  /** It stands, for the first time or again. */
  onUp(): void
  readonly random: Random
  readonly log: Log
}

type Welcome = HubMessage & { readonly kind: 'welcome' }

/** What is taken for granted of a broker that has not been met. */
const everything: UpstreamAbilities = {
  protocolVersions: new Set([4, 5]),
  qosMax: 2,
  retain: true,
  sharedSubscriptions: true,
}

export class GateLink {
  readonly #options: GateLinkOptions
  #control: Control | null = null
  #way: Upstream | null = null
  #abilities: UpstreamAbilities = everything
  /** First uses that the hub is asked to write, by number. */
  readonly #asked = new Map<number, (outcome: ClaimOutcome | null) => void>()
  #askedLast = 0
  #isStopped = false
  #down: ((why: HubError) => void) | null = null
  #wake: (() => void) | null = null
  #running: Promise<void> | null = null
  #lastTold = ''

  constructor(options: GateLinkOptions) {
    this.#options = options
  }

  /**
   * Tries for the first time, and from then on for ever.
   *
   * @returns why it does not stand yet, or null
   * @throws HubError `gate-link-refused`, `gate-link-untrusted`, `gate-version-differs`: what no waiting will mend
   */
  async start(): Promise<HubError | null> {
    let first: HubError | null = null
    try {
      await this.#open()
    } catch (error) {
      if (!(error instanceof HubError)) throw error
      if (['gate-link-refused', 'gate-link-untrusted', 'gate-version-differs'].includes(error.code)) throw error
      first = error
      this.#report(error)
    }
    this.#running = this.#keepUp()
    return first
  }

  get isUp(): boolean {
    return this.#way !== null
  }

  /** The broker of the hub, as long as the link stands. */
  readonly upstream: Upstream = this.#upstream()

  /** False while there is nobody to say it to. */
  say(message: GateMessage): boolean {
    if (!this.isUp || this.#control === null) return false
    this.#control.say(message)
    return true
  }

  /** The same for what can wait: false also while much is on its way, since the link is cut where too much is. */
  tell(message: GateMessage): boolean {
    return this.#control?.hasRoom === true && this.say(message)
  }

  /**
   * Has the hub write a first use.
   *
   * @throws HubError `store-unavailable` when it cannot be asked or does not answer in time
   */
  async confirmUse(entrant: Entrant): Promise<ClaimOutcome> {
    const number = ++this.#askedLast
    const { promise, resolve } = Promise.withResolvers<ClaimOutcome | null>()
    this.#asked.set(number, resolve)
    const timer = setTimeout(() => resolve(null), limits.gateConfirmMs)
    try {
      const isSaid = this.say({ kind: 'confirm', number, use: claimOf(entrant) })
      const outcome = isSaid ? await promise : null
      if (outcome !== null) return outcome
      throw new HubError('store-unavailable', 'the hub cannot write the first use now')
    } finally {
      clearTimeout(timer)
      this.#asked.delete(number)
    }
  }

  /**
   * Goes over to the certificate that `trust` tells now. What was asked on the old connection is still answered there; a link that
   * is down takes it up by itself.
   *
   * @throws HubError why the hub does not take it; the link stands as it did then
   */
  async takeUpTrust(): Promise<void> {
    const old = this.#control
    if (!this.isUp || old === null) return
    const { control } = await this.#greet()
    // It may have gone down meanwhile, and come up again by itself.
    if (this.#control !== old) return control.cut(broken('another connection stands'))
    this.#control = control
    setTimeout(() => old.cut(broken('it was replaced')), linkLimits.handoverMs)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#wake?.()
    await this.#way?.stop()
    this.#fall(broken('the gate stops'))
    await this.#running
  }

  async #keepUp(): Promise<void> {
    for (let pauseMs: number = linkLimits.retryMs; !this.#isStopped; ) {
      if (this.isUp) {
        await new Promise<void>((resolve) => {
          this.#down = (why) => {
            this.#report(why)
            resolve()
          }
        })
        this.#down = null
        pauseMs = linkLimits.retryMs
      }
      if (this.#isStopped) return
      await this.#pause(pauseMs)
      pauseMs = Math.min(pauseMs * 2, linkLimits.retryMsMax)
      if (this.#isStopped) return
      try {
        await this.#open()
      } catch (error) {
        // Such as a file of the credential that cannot be read for a moment.
        if (error instanceof HubError) this.#report(error)
        else this.#options.log.error('the link to the hub cannot be tried', { error })
      }
    }
  }

  /** Half of it by chance: gates of a hub that comes back do not all ask in the same moment. */
  async #pause(ms: number): Promise<void> {
    const [high = 0, low = 0] = this.#options.random.bytes(2)
    const waitMs = ms / 2 + (ms / 2) * ((high * 256 + low) / 65_536)
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = null
  }

  async #open(): Promise<void> {
    const { control, welcome } = await this.#greet()
    this.#control = control
    try {
      const { hub, trust, openBroker } = this.#options
      const abilities = abilitiesOf(welcome.abilities)
      const socket = await dialLink(hub, linkProtocols.broker, trust())
      const way = await openBroker(socket, abilities)
      if (this.#isStopped || !control.isOpen || socket.destroyed) {
        socket.destroy()
        throw broken('it went down while it came up')
      }
      socket.once('close', () => {
        if (this.#way === way) this.#fall(broken('the way to the broker is closed'))
      })
      this.#abilities = abilities
      this.#way = way
    } catch (error) {
      this.#control = null
      control.cut(broken('the broker cannot be reached'))
      throw error
    }
    this.#lastTold = ''
    this.#options.log.info('the link to the hub stands', { gate: welcome.gateId, hub: welcome.version })
    this.#options.onUp()
    this.#options.onEvents()
  }

  /** A control connection on which the hub has said its welcome. */
  async #greet(): Promise<{ readonly control: Control; readonly welcome: Welcome }> {
    const { hub, trust, version, registryVersion } = this.#options
    const socket = await dialLink(hub, linkProtocols.control, trust())
    const { promise, resolve, reject } = Promise.withResolvers<Welcome>()
    let refusal: HubError | null = null
    const control = new Control(socket, {
      onMessage: (value) => {
        const message = readHubMessage(value)
        if (message.kind === 'welcome') resolve(message)
        else if (message.kind === 'refused') refusal = refused(message.code, message.sentence)
        else this.#hear(message)
      },
      onEnd: (why) => {
        const reason = refusal ?? why ?? broken('the hub has closed the connection')
        reject(reason)
        if (this.#control === control) this.#fall(reason)
      },
    })
    control.say({ kind: 'hello', version } satisfies GateMessage)
    const welcome = await promise
    if (welcome.registryVersion === registryVersion) return { control, welcome }
    const differs = new HubError(
      'gate-version-differs',
      `the hub is Handfast ${welcome.version} and its tables have the version ${welcome.registryVersion}; this is ${version}, which knows ${registryVersion}`,
    )
    control.cut(differs)
    throw differs
  }

  #hear(message: Exclude<HubMessage, { readonly kind: 'welcome' | 'refused' }>): void {
    if (message.kind === 'events') this.#options.onEvents()
    else if (message.kind === 'confirmed') this.#asked.get(message.number)?.(message.outcome)
  }

  /** Both connections end, and what was asked is not answered any more. */
  #fall(why: HubError): void {
    const [control, way] = [this.#control, this.#way]
    this.#control = null
    this.#way = null
    control?.cut(why)
    way
      ?.stop()
      .catch((error: unknown) => this.#options.log.error('the way to the broker could not be closed', { error }))
    for (const answer of this.#asked.values()) answer(null)
    this.#down?.(why)
  }

  /** Once for each reason: a hub that is away for a day is one line, not thousands. */
  #report(why: HubError): void {
    if (this.#isStopped || why.message === this.#lastTold) return
    this.#lastTold = why.message
    this.#options.log.error('the link to the hub is down; clients read "server unavailable"', {
      code: why.code,
      why: why.message,
      hint: why.hint,
    })
  }

  #upstream(): Upstream {
    const abilities = (): UpstreamAbilities => this.#abilities
    return {
      get abilities() {
        return abilities()
      },
      isAvailable: () => this.#way?.isAvailable() ?? false,
      connect: (client, listener) => {
        if (this.#way === null) throw new HubError('upstream-unavailable', 'the link to the hub is down')
        return this.#way.connect(client, listener)
      },
      // What closes the link closes the way to the broker.
      stop: async () => {},
    }
  }
}

function refused(code: FailureName, sentence: string): HubError {
  return new HubError('gate-link-refused', `the hub refuses this gate: ${sentence} (${code})`)
}

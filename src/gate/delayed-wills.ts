/**
 * Wills that wait in the broker for the end of their delay (MQTT 5 §3.1.3.2.2). Their clients are gone, and the right to leave
 * them may go too: then the will is taken back, by a connection in the name of the client that brings none.
 */
import type { FailureName } from '../core/failure/catalogue.ts'
import type { Identity } from '../core/identity/identity.ts'
import { limits } from '../core/limits.ts'
import type { Connect, Will } from '../core/mqtt/connect.ts'
import { numberIn, property } from '../core/mqtt/properties.ts'
import type { Subject } from '../core/policy/rights.ts'
import { resumeSession, type Visit } from './broker-visit.ts'
import { startDeadline } from './deadline.ts'
import { endsAbruptly } from './farewell.ts'
import type { LiveConnection } from './live-connection.ts'
import type { GateContext } from './options.ts'
import { willDenial } from './will-guard.ts'

/** A client that is gone without its will. */
export interface Departed {
  readonly live: LiveConnection
  readonly subject: Subject
  /** Whose the client id is; see `UpstreamClient`. */
  readonly owner: string
  readonly connect: Connect
  /** Last good second of what proved the identity; null when it has no end. */
  readonly notAfterSec: number | null
}

type WillContext = Pick<GateContext, 'live' | 'clock' | 'log' | 'limits' | 'upstream' | 'rightsOf'>

/** For how long the broker keeps a will back; a session that ends earlier sends it then. */
function delaySec({ will, sessionExpirySec }: Connect): number {
  return will === null ? 0 : Math.min(numberIn(will.properties, property.willDelay) ?? 0, sessionExpirySec)
}

export class DelayedWills {
  /** By owner, then by client id; at both levels the oldest first. */
  readonly #byOwner = new Map<string, Map<string, WillWatch>>()
  #count = 0

  /** A client has gone, and the broker has its will; nothing is done where that does not wait. */
  watch(context: WillContext, departed: Departed): void {
    const { owner, subject, connect } = departed
    const { clientId } = subject
    const seconds = delaySec(connect)
    if (connect.will === null || seconds === 0) return
    this.end(owner, clientId)
    const watch = new WillWatch(context, departed, connect.will, seconds, () => this.#forget(owner, clientId, watch))
    const ofOwner = this.#byOwner.get(owner) ?? new Map<string, WillWatch>()
    this.#byOwner.set(owner, ofOwner.set(clientId, watch))
    this.#count++
    if (ofOwner.size > limits.sessionsPerIdentityMax)
      oldestOf([ofOwner])?.takeBack('too many wills of the identity wait')
    else if (this.#count > limits.delayedWillsMax) oldestOf(this.#byOwner.values())?.takeBack('too many wills wait')
    watch.start()
  }

  /** The client is back, and with that its will is forgotten by the broker (MQTT 5 §3.1.3.2.2). */
  end(owner: string, clientId: string): void {
    this.#byOwner.get(owner)?.get(clientId)?.end()
  }

  #forget(owner: string, clientId: string, watch: WillWatch): void {
    const ofOwner = this.#byOwner.get(owner)
    if (ofOwner?.get(clientId) !== watch) return
    ofOwner.delete(clientId)
    this.#count--
    if (ofOwner.size === 0) this.#byOwner.delete(owner)
  }
}

/** Of those that nobody takes back yet: a broker that answers late does not make room for more. */
function oldestOf(byClient: Iterable<ReadonlyMap<string, WillWatch>>): WillWatch | null {
  for (const watches of byClient) {
    for (const watch of watches.values()) if (!watch.isTakenBack) return watch
  }
  return null
}

class WillWatch {
  readonly #context: WillContext
  readonly #departed: Departed
  readonly #will: Will
  readonly #endMs: number
  readonly #forget: () => void
  /** In the index of connections, so that it hears what its connection would. */
  readonly #live: LiveConnection
  #subject: Subject
  #giveUps: (() => void)[] = []
  #giveUpChange: () => void = () => {}
  #visit: Visit | null = null
  /** The broker is asked to forget it; it may not have answered yet. */
  isTakenBack = false
  #isOver = false

  constructor(context: WillContext, departed: Departed, will: Will, seconds: number, forget: () => void) {
    this.#context = context
    this.#departed = departed
    this.#will = will
    this.#endMs = context.clock.nowMs() + seconds * 1000
    this.#forget = forget
    this.#subject = departed.subject
    this.#live = context.live.leaveBehind(departed.live)
  }

  start(): void {
    const { clock } = this.#context
    const { notAfterSec } = this.#departed
    this.#live.onClose((code) => this.#onTold(code))
    this.#giveUps.push(startDeadline(clock, this.#endMs, () => this.end()))
    if (notAfterSec !== null && !this.#isOver) {
      this.#giveUps.push(startDeadline(clock, (notAfterSec + 1) * 1000, () => this.takeBack('the certificate ended')))
    }
    if (this.#isOver) return
    this.#live.onRefresh((identity) => this.#judge(identity))
    this.#judge(null)
  }

  #onTold(code: FailureName): void {
    if (endsAbruptly(code)) this.takeBack(code)
    else this.end()
  }

  /** The rights have changed, or the identity. */
  #judge(identity: Identity | null): void {
    if (this.#isOver || this.isTakenBack) return
    if (identity !== null && identity.version >= this.#subject.identity.version) {
      this.#subject = { ...this.#subject, identity }
    }
    const rights = this.#context.rightsOf(this.#subject)
    const { changesAtMs } = rights
    this.#giveUpChange()
    if (!rights.mayConnect()) this.takeBack('the identity may not be connected any more')
    else {
      const denial = willDenial(this.#will, rights)
      if (denial !== null) this.takeBack(denial.sentence)
      else if (changesAtMs !== null && changesAtMs < this.#endMs) this.#judgeAt(changesAtMs)
    }
  }

  /** Behind this turn, so that rights which say "now" cannot ask again and again within one call. */
  #judgeAt(atMs: number): void {
    const timer = setImmediate(() => {
      this.#giveUpChange = startDeadline(this.#context.clock, atMs, () => this.#judge(null))
    })
    this.#giveUpChange = () => clearImmediate(timer)
  }

  /** Has the broker forget the will, again and again until it has answered or the delay is over. */
  takeBack(why: string): void {
    if (this.#isOver || this.isTakenBack) return
    this.isTakenBack = true
    const { identityId, clientId } = this.#names()
    this.#context.log.info('a will that waits is taken back', { identity: identityId, client: clientId, why })
    this.#try(limits.upstreamRetryMs)
  }

  #names(): Parameters<typeof resumeSession>[1] {
    const { owner, subject } = this.#departed
    return { identityId: subject.identity.id, owner, clientId: subject.clientId }
  }

  #try(pauseMs: number): void {
    this.#visit = resumeSession(this.#context, this.#names(), this.#departed.connect)
    void this.#visit.outcome.then((failed) => {
      if (this.#isOver) return
      if (failed === null) {
        this.end()
        return
      }
      const timer = setTimeout(() => this.#try(Math.min(pauseMs * 2, limits.upstreamRetryMsMax)), pauseMs).unref()
      this.#giveUps.push(() => clearTimeout(timer))
    })
  }

  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    for (const giveUp of this.#giveUps) giveUp()
    this.#giveUpChange()
    this.#visit?.abandon()
    this.#context.live.remove(this.#live)
    this.#forget()
  }
}

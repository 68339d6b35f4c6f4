/** Whether a hub can do its work now, and what is in the way. */
import { HubError } from '../core/errors.ts'
import type { FailureName } from '../core/failure/catalogue.ts'
import { limits } from '../core/limits.ts'
import type { Authorities } from './authorities.ts'
import { inTime, keptAnswer } from './kept-answer.ts'
import { type Clock, nowSec } from './ports/clock.ts'
import type { Log } from './ports/log.ts'
import type { Store } from './ports/store.ts'
import type { CrlRefresher } from './refresh-crls.ts'
import type { ServerCertificateKeeper } from './renew-server-certificate.ts'

/** Something that is in the way; the catalogue knows the cure. */
export interface NotReady {
  readonly code: FailureName
  readonly sentence: string
}

export interface ReadinessVerdict {
  readonly isReady: boolean
  readonly reasons: readonly NotReady[]
}

/** Every code that a reason may have. */
export const readinessCodes = [
  'hub-starting',
  'hub-stopping',
  'store-unavailable',
  'journal-unavailable',
  'upstream-unavailable',
  'crl-outdated',
  'server-certificate-expired',
  'authority-expired',
] as const satisfies readonly FailureName[]

/** What is looked at once the hub serves. */
export interface CheckedParts {
  readonly store: Store
  readonly journal: { isJournaling(): boolean }
  readonly authorities: Pick<Authorities, 'all' | 'signing'>
  readonly broker: { isAvailable(): boolean }
  readonly crls: Pick<CrlRefresher, 'datesOf'>
  readonly serverCertificate: Pick<ServerCertificateKeeper, 'inUse'>
}

/** How often a registry that has refused a write is tried again, when nobody else writes. */
const retryWriteMs = 5_000

export class Readiness {
  readonly #clock: Clock
  readonly #log: Log
  readonly #checked: () => Promise<readonly NotReady[]>
  #parts: CheckedParts | null = null
  #isStopping = false
  #triedWriteAtMs = Number.NEGATIVE_INFINITY
  #lastCodes = ''

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
    this.#checked = keptAnswer(clock, limits.answerKeptMs, () => this.#check())
  }

  /** From now on the hub is ready unless one of its parts is not. */
  serve(parts: CheckedParts): void {
    this.#parts = parts
  }

  /** From now on the hub is not ready, whatever its parts say. */
  stop(): void {
    this.#isStopping = true
  }

  /** Never rejects. Asking often costs no more than once in `limits.answerKeptMs`. */
  async judge(): Promise<ReadinessVerdict> {
    if (this.#isStopping) return verdict([{ code: 'hub-stopping', sentence: 'the hub is shutting down' }])
    if (this.#parts === null) return verdict([{ code: 'hub-starting', sentence: 'the hub does not serve yet' }])
    return verdict(await this.#checked())
  }

  async #check(): Promise<readonly NotReady[]> {
    const parts = this.#parts
    if (parts === null) return []
    const reasons = [
      ...(await this.#registryFaults(parts.store)),
      ...journalFaults(parts),
      ...brokerFaults(parts),
      ...crlFaults(parts, this.#clock),
      ...certificateFaults(parts, this.#clock),
    ]
    this.#report(reasons)
    return reasons
  }

  /** A line in the log when something has changed, for whoever reads it afterwards. */
  #report(reasons: readonly NotReady[]): void {
    const codes = reasons.map(({ code }) => code).join(' ')
    if (codes === this.#lastCodes) return
    this.#lastCodes = codes
    if (codes === '') this.#log.info('the hub is ready again')
    else this.#log.warn('the hub is not ready', { codes, why: reasons.map(({ sentence }) => sentence).join('; ') })
  }

  async #registryFaults(store: Store): Promise<readonly NotReady[]> {
    const fault = (sentence: string): NotReady => ({ code: 'store-unavailable', sentence })
    try {
      await inTime(
        store.events.last(),
        limits.figuresMs,
        () => new HubError('store-unavailable', `the registry has not answered for ${limits.figuresMs / 1000} s`),
      )
    } catch (error) {
      return [fault(error instanceof HubError ? error.message : 'the registry cannot be read')]
    }
    const { isWriting, unitsWaiting } = store.health()
    if (unitsWaiting >= limits.transactionsWaitingMax) return [fault(`${unitsWaiting} writes wait for the registry`)]
    if (isWriting) return []
    this.#tryWrite(store)
    return [fault('the registry has refused the last write')]
  }

  /** Whoever is told that a hub is not ready sends it nothing to write, so it finds out by itself when it can again. */
  #tryWrite(store: Store): void {
    const nowMs = this.#clock.nowMs()
    if (Math.abs(nowMs - this.#triedWriteAtMs) < retryWriteMs) return
    this.#triedWriteAtMs = nowMs
    // Its outcome is in the health of the store.
    store.write((tx) => tx.settings.set('last-write-trial', new Date(nowMs).toISOString())).catch(() => {})
  }
}

function verdict(reasons: readonly NotReady[]): ReadinessVerdict {
  return { isReady: reasons.length === 0, reasons }
}

function journalFaults({ journal }: CheckedParts): readonly NotReady[] {
  if (journal.isJournaling()) return []
  return [{ code: 'journal-unavailable', sentence: 'the journal cannot be written, so nothing is acknowledged' }]
}

function brokerFaults({ broker }: CheckedParts): readonly NotReady[] {
  if (broker.isAvailable()) return []
  return [{ code: 'upstream-unavailable', sentence: 'the broker behind the gate is being started again' }]
}

function crlFaults({ crls, authorities }: CheckedParts, clock: Clock): readonly NotReady[] {
  const faults: NotReady[] = []
  for (const { id } of authorities.signing()) {
    const dates = crls.datesOf(id)
    if (dates === null) faults.push({ code: 'crl-outdated', sentence: `${id} has no CRL yet` })
    else if (clock.nowMs() >= dates.nextUpdateMs) {
      const ended = new Date(dates.nextUpdateMs).toISOString()
      faults.push({ code: 'crl-outdated', sentence: `the CRL of ${id} ended at ${ended}` })
    }
  }
  return faults
}

function certificateFaults({ serverCertificate, authorities }: CheckedParts, clock: Clock): readonly NotReady[] {
  const faults: NotReady[] = []
  const now = nowSec(clock)
  const { notAfterSec } = serverCertificate.inUse()
  if (now > notAfterSec) {
    const sentence = `the certificate of the listeners ended at ${isoSec(notAfterSec)}`
    faults.push({ code: 'server-certificate-expired', sentence })
  }
  for (const { id, state, fields } of authorities.all()) {
    if (state !== 'active' || now <= fields.notAfterSec) continue
    faults.push({ code: 'authority-expired', sentence: `${id} ended at ${isoSec(fields.notAfterSec)}` })
  }
  return faults
}

function isoSec(sec: number): string {
  return new Date(sec * 1000).toISOString()
}

/**
 * Attempts on their way to become cases: refusals of one party for one cause on one listener are one, however many they are. What
 * strangers can make many of is bounded here: a flood costs a look into a map for each attempt, and a row for each of few.
 */
import { failure } from '../core/failure/catalogue.ts'
import { limits } from '../core/limits.ts'
import { sourceOf } from './peer-address.ts'
import type { NewAttempt } from './ports/attempts.ts'
import type { NewRefusals, Party } from './ports/cases.ts'

/** Who was admitted on a listener; the time is that of the last of them. */
export interface Admissions {
  readonly listener: string
  readonly parties: readonly Party[]
  readonly atMs: number
}

/** What is new since the last time. */
export interface Tallied {
  readonly refusals: readonly NewRefusals[]
  readonly admissions: readonly Admissions[]
}

/** Whose refusals are counted together, because there are too many to be told apart. */
export const otherStrangers: Party = { kind: 'network', name: 'others' }

/** One case while it is counted. */
interface Counting {
  readonly party: Party
  readonly issuer: string | null
  readonly code: NewRefusals['code']
  count: number
  firstAtMs: number
  last: NewAttempt
}

interface AdmittedOn {
  readonly parties: Map<string, Party>
  atMs: number
}

export class CaseTally {
  #refused = new Map<string, Counting>()
  #admitted = new Map<string, AdmittedOn>()
  #admittedCount = 0
  readonly #certificates = new ToldApart()
  readonly #opened = { second: 0, ofIdentities: 0, ofStrangers: 0 }
  #leftOut = 0

  /** How many cases wait. */
  get size(): number {
    return this.#refused.size + this.#admittedCount
  }

  /** How many refusals were left out since the last time that this was asked, because there were too many cases. */
  takeLeftOut(): number {
    const leftOut = this.#leftOut
    this.#leftOut = 0
    return leftOut
  }

  /**
   * @param nowMs the clock of the hub: a gate elsewhere may tell late, and has a clock of its own. What comes from the future is
   *   counted as of now
   */
  add(told: NewAttempt, nowMs: number): void {
    const attempt = told.atMs <= nowMs ? told : { ...told, atMs: nowMs }
    if (attempt.outcome === 'admitted') this.#admit(attempt)
    else if (attempt.code !== null) this.#refuse(attempt, attempt.code, nowMs)
  }

  /** What was counted, and it begins anew. */
  take(): Tallied {
    const refusals = [...this.#refused.values()]
    const admissions = [...this.#admitted].map(([listener, { parties, atMs }]) => ({
      ...{ listener, atMs },
      parties: [...parties.values()],
    }))
    this.#refused = new Map()
    this.#admitted = new Map()
    this.#admittedCount = 0
    return { refusals, admissions }
  }

  #refuse(attempt: NewAttempt, code: NewRefusals['code'], nowMs: number): void {
    const party = this.#partyOf(attempt, nowMs)
    // Whoever is refused after it was admitted is not in.
    this.#admitted.get(attempt.listener)?.parties.delete(nameOf(party))
    const known = this.#refused.get(keyOf(party, attempt.listener, code))
    if (known !== undefined) addTo(known, attempt)
    else if (this.#mayOpen(party, nowMs)) this.#open(party, attempt, code)
    else if (party.kind === 'identity') this.#leftOut += 1
    else this.#addToOthers(attempt, code)
  }

  /** There are as many of these as there are listeners and causes. */
  #addToOthers(attempt: NewAttempt, code: NewRefusals['code']): void {
    const known = this.#refused.get(keyOf(otherStrangers, attempt.listener, code))
    if (known === undefined) this.#open(otherStrangers, attempt, code)
    else addTo(known, attempt)
  }

  #open(party: Party, attempt: NewAttempt, code: NewRefusals['code']): void {
    const issuer = issuerOf(attempt, code)
    const counting = { party, issuer, code, count: 1, firstAtMs: attempt.atMs, last: attempt }
    this.#refused.set(keyOf(party, attempt.listener, code), counting)
  }

  #admit({ listener, identityId, certificate, atMs }: NewAttempt): void {
    if (this.#admittedCount >= limits.casesWaitingMax) return
    const on = this.#admitted.get(listener) ?? { parties: new Map<string, Party>(), atMs }
    this.#admitted.set(listener, on)
    on.atMs = Math.max(on.atMs, atMs)
    const names: (Party | null)[] = [
      identityId === null ? null : { kind: 'identity', name: identityId },
      certificate === null ? null : { kind: 'certificate', name: certificate.fingerprint },
    ]
    for (const party of names) {
      if (party === null) continue
      if (!on.parties.has(nameOf(party))) this.#admittedCount += 1
      on.parties.set(nameOf(party), party)
    }
  }

  #partyOf({ identityId, certificate, address }: NewAttempt, nowMs: number): Party {
    if (identityId !== null) return { kind: 'identity', name: identityId }
    const network = sourceOf(address)
    if (certificate === null || !this.#certificates.tell(network, certificate.fingerprint, nowMs)) {
      return { kind: 'network', name: network }
    }
    return { kind: 'certificate', name: certificate.fingerprint }
  }

  #mayOpen({ kind }: Party, nowMs: number): boolean {
    if (this.#refused.size >= limits.casesWaitingMax) return false
    const second = Math.floor(nowMs / 1000)
    const opened = this.#opened
    if (opened.second !== second) Object.assign(opened, { second, ofIdentities: 0, ofStrangers: 0 })
    if (kind === 'identity') {
      opened.ofIdentities += 1
      return opened.ofIdentities <= limits.casesOfIdentitiesPerSecondMax
    }
    opened.ofStrangers += 1
    return opened.ofStrangers <= limits.casesOfStrangersPerSecondMax
  }
}

function addTo(counting: Counting, attempt: NewAttempt): void {
  counting.count += 1
  counting.firstAtMs = Math.min(counting.firstAtMs, attempt.atMs)
  if (attempt.atMs >= counting.last.atMs) counting.last = attempt
}

/** Which certificates of strangers are told apart: few of each network and not too many at all, for a while. */
class ToldApart {
  readonly #ofNetworks = new Map<string, Set<string>>()
  #count = 0
  #sinceMs = Number.NEGATIVE_INFINITY

  tell(network: string, fingerprint: string, nowMs: number): boolean {
    // A clock that was set back must not make a while last a year.
    if (Math.abs(nowMs - this.#sinceMs) >= limits.certificatesToldApartMs) {
      this.#ofNetworks.clear()
      this.#count = 0
      this.#sinceMs = nowMs
    }
    const known = this.#ofNetworks.get(network)
    if (known?.has(fingerprint)) return true
    if (this.#count >= limits.certificatesToldApartMax) return false
    if (known !== undefined && known.size >= limits.certificatesOfNetworkMax) return false
    this.#count += 1
    if (known === undefined) this.#ofNetworks.set(network, new Set([fingerprint]))
    else known.add(fingerprint)
    return true
  }
}

/** A name in which no part can be taken for another: listeners and kinds have no line feed, codes are a closed list. */
function keyOf(party: Party, listener: string, code: string): string {
  return `${code}\n${listener}\n${nameOf(party)}`
}

function nameOf({ kind, name }: Party): string {
  return `${kind}\n${name}`
}

/** What many certificates may have in common. One that is its own issuer has nothing in common with others. */
function issuerOf({ certificate }: NewAttempt, code: NewRefusals['code']): string | null {
  if (certificate === null || failure(code).stage !== 'certificate') return null
  return certificate.issuer === certificate.subject ? null : certificate.issuer
}

/**
 * The connections of a gate by certificate, identity and client id.
 *
 * A connection stands here before its certificate is judged. A revocation that is applied while the registry is being
 * asked therefore finds it, by certificate, or leaves word for it, by identity: it cannot slip through in between.
 */
import type { FailureName } from '../core/failure/catalogue.ts'
import type { Anchored } from '../core/identification/anchor.ts'
import type { Identity } from '../core/identity/identity.ts'
import { type AnchoredRefusal, LiveConnection } from './live-connection.ts'
import { MissedChanges } from './missed-changes.ts'
import { areApart } from './two-places.ts'

/** A certificate of a trust anchor that a connection was made with. */
export interface LiveAnchored {
  readonly fingerprint: string
  readonly identityId: string
  readonly anchored: Anchored
}

export interface LiveLimits {
  readonly sessionsMax: number
  readonly sessionsPerIdentityMax: number
  readonly missedIdentitiesMax: number
}

export class LiveConnections {
  readonly #all = new Set<LiveConnection>()
  /** The oldest first. */
  readonly #unidentified = new Set<LiveConnection>()
  readonly #missed: MissedChanges
  readonly #byFingerprint = new Map<string, Set<LiveConnection>>()
  readonly #byPassword = new Map<string, Set<LiveConnection>>()
  readonly #byIdentity = new Map<string, Set<LiveConnection>>()
  readonly #byClient = new Map<string, LiveConnection>()
  readonly #limits: LiveLimits
  #sessions = 0

  constructor(limits: LiveLimits) {
    this.#limits = limits
    this.#missed = new MissedChanges(limits.missedIdentitiesMax)
  }

  /** @param fingerprint of the certificate, or null when none came */
  open(fingerprint: string | null, address = 'unknown'): LiveConnection {
    const connection = new LiveConnection(fingerprint, address, this.#missed.last)
    this.#all.add(connection)
    this.#unidentified.add(connection)
    if (fingerprint !== null) addTo(this.#byFingerprint, fingerprint, connection)
    return connection
  }

  /** Says whose connection it is. What has happened to that identity since `open` is applied now. */
  identify(connection: LiveConnection, identityId: string, anchored: Anchored | null = null): void {
    const missed = this.#missed.since(connection.openedAt, identityId)
    this.#leaveUnidentified(connection)
    connection.identityId = identityId
    connection.anchored = anchored
    addTo(this.#byIdentity, identityId, connection)
    const refusal = anchored === null ? null : connection.missedAnchored?.(anchored)
    connection.missedAnchored = null
    // Who waited so long that its changes are dropped comes back and is judged anew.
    const code = missed === null ? 'store-unavailable' : (missed.closed ?? refusal ?? null)
    if (missed?.identity) connection.refresh(missed.identity)
    if (code !== null) connection.close(code)
  }

  #leaveUnidentified(connection: LiveConnection): void {
    if (!this.#unidentified.delete(connection) || this.#missed.size === 0) return
    const [oldest] = this.#unidentified
    this.#missed.forget(oldest?.openedAt ?? this.#missed.last)
  }

  /** What stays behind of a connection that has ended: it is told what the connection would be, and is no session. */
  leaveBehind(connection: LiveConnection): LiveConnection {
    const left = this.open(connection.fingerprint, connection.address)
    left.isPinned = connection.isPinned
    this.identify(left, connection.identityId ?? '', connection.anchored)
    if (connection.passwordId !== null) this.prove(left, connection.passwordId)
    return left
  }

  /** Says with which password it was made. */
  prove(connection: LiveConnection, passwordId: string): void {
    connection.passwordId = passwordId
    addTo(this.#byPassword, passwordId, connection)
  }

  /**
   * Gives a client id to a connection. Another connection that holds it is closed before this returns.
   *
   * @param owner whose client id it is: the identity, or its quarantine, each with sessions of its own
   * @param ownerMax sessions that the owner may have by its policy; null where that says nothing
   * @param takenOver what the connection that holds it is told
   * @returns false when the gate or the owner holds as many sessions as it may
   */
  claim(
    connection: LiveConnection,
    owner: string,
    clientId: string,
    ownerMax: number | null = null,
    takenOver: (holder: LiveConnection) => FailureName = () => 'session-taken-over',
  ): boolean {
    const key = `${owner}/${clientId}`
    const holder = this.#byClient.get(key)
    if (holder === undefined && this.#isFull(connection.identityId ?? '', `${owner}/`, ownerMax)) return false
    if (holder !== undefined && holder.closedWith === null) holder.close(takenOver(holder))
    this.#byClient.set(key, connection)
    connection.clientKey = key
    return true
  }

  #isFull(identityId: string, ownersKeys: string, ownerMax: number | null): boolean {
    if (this.#byClient.size >= this.#limits.sessionsMax) return true
    let claimed = 0
    for (const other of this.#byIdentity.get(identityId) ?? []) if (other.clientKey?.startsWith(ownersKeys)) claimed++
    return claimed >= Math.min(this.#limits.sessionsPerIdentityMax, ownerMax ?? Number.POSITIVE_INFINITY)
  }

  /** The CONNACK is on its way. */
  start(connection: LiveConnection): void {
    connection.isSession = true
    this.#sessions++
  }

  /** Forgets a connection that has ended. */
  remove(connection: LiveConnection): void {
    if (!this.#all.delete(connection)) return
    this.#leaveUnidentified(connection)
    if (connection.isSession) this.#sessions--
    if (connection.fingerprint !== null) removeFrom(this.#byFingerprint, connection.fingerprint, connection)
    if (connection.passwordId !== null) removeFrom(this.#byPassword, connection.passwordId, connection)
    if (connection.identityId !== null) removeFrom(this.#byIdentity, connection.identityId, connection)
    const key = connection.clientKey
    if (key !== null && this.#byClient.get(key) === connection) this.#byClient.delete(key)
  }

  closeIdentity(identityId: string, code: FailureName): number {
    if (this.#unidentified.size > 0) this.#missed.noteClosed(identityId, code)
    return closeAll(this.#byIdentity.get(identityId), code)
  }

  /**
   * Has every session look at its rights anew, or those of one identity.
   *
   * @param identity as it is now; null for all, with the identities that they have
   */
  refresh(identity: Identity | null): void {
    if (identity === null) {
      refreshInTurns([...this.#all])
      return
    }
    if (this.#unidentified.size > 0) this.#missed.noteChanged(identity)
    for (const connection of [...(this.#byIdentity.get(identity.id) ?? [])]) connection.refresh(identity)
  }

  closeCredential(fingerprint: string, code: FailureName): number {
    return closeAll(this.#byFingerprint.get(fingerprint), code)
  }

  closePassword(passwordId: string, code: FailureName): number {
    return closeAll(this.#byPassword.get(passwordId), code)
  }

  passwords(): readonly string[] {
    return livingKeys(this.#byPassword)
  }

  /** Closes those made with certificates of trust anchors that are refused now. */
  closeAnchored(refusalOf: AnchoredRefusal): number {
    for (const connection of this.#unidentified) connection.missedAnchored = refusalOf
    let closed = 0
    for (const connection of [...this.#all]) {
      const code = connection.anchored === null ? null : refusalOf(connection.anchored)
      if (code !== null && connection.close(code)) closed++
    }
    return closed
  }

  /** Certificates of trust anchors that connections were made with, each with its fingerprint and identity. */
  anchored(): readonly LiveAnchored[] {
    const living = new Map<string, LiveAnchored>()
    for (const { fingerprint, identityId, anchored, closedWith } of this.#all) {
      if (fingerprint === null || identityId === null || anchored === null || closedWith !== null) continue
      living.set(fingerprint, { fingerprint, identityId, anchored })
    }
    return [...living.values()]
  }

  /** Fingerprints of the pinned certificates that connections were made with. */
  pinned(): readonly string[] {
    const living = [...this.#all].filter(({ isPinned, closedWith }) => isPinned && closedWith === null)
    return [...new Set(living.flatMap(({ fingerprint }) => fingerprint ?? []))]
  }

  closeEvery(code: FailureName): number {
    return closeAll(this.#all, code)
  }

  fingerprints(): readonly string[] {
    return livingKeys(this.#byFingerprint)
  }

  sessionCount(): number {
    return this.#sessions
  }

  /** Where else a session of the same certificate lives: another address of the same family, not of this machine; null where none does. */
  elsewhere({ fingerprint, address }: LiveConnection): string | null {
    const others = fingerprint === null ? [] : [...(this.#byFingerprint.get(fingerprint) ?? [])]
    const other = others.find((each) => each.isSession && each.closedWith === null && areApart(each.address, address))
    return other?.address ?? null
  }
}

/** Keys of connections that are not told to close. */
function livingKeys(index: ReadonlyMap<string, ReadonlySet<LiveConnection>>): readonly string[] {
  return [...index]
    .filter(([, connections]) => [...connections].some(({ closedWith }) => closedWith === null))
    .map(([key]) => key)
}

/** Rights that are asked anew in one turn of the event loop: tens of thousands of sessions would hold up all traffic. */
const refreshedAtOnceMax = 200

/** Whoever is told twice, because rights change again meanwhile, asks twice for what holds then. */
function refreshInTurns(connections: readonly LiveConnection[], start = 0): void {
  const end = start + refreshedAtOnceMax
  for (const connection of connections.slice(start, end)) connection.refresh(null)
  if (end < connections.length) setImmediate(refreshInTurns, connections, end)
}

function closeAll(connections: ReadonlySet<LiveConnection> | undefined, code: FailureName): number {
  let closed = 0
  // A copy: closing takes connections out of the index.
  for (const connection of [...(connections ?? [])]) if (connection.close(code)) closed++
  return closed
}

function addTo(index: Map<string, Set<LiveConnection>>, key: string, connection: LiveConnection): void {
  const present = index.get(key)
  if (present === undefined) index.set(key, new Set([connection]))
  else present.add(connection)
}

function removeFrom(index: Map<string, Set<LiveConnection>>, key: string, connection: LiveConnection): void {
  const present = index.get(key)
  present?.delete(connection)
  if (present?.size === 0) index.delete(key)
}

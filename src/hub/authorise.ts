/**
 * The one place where acts of the admin API are authorised: a caller, an act of the closed list, and what it is done to. Denied
 * unless a grant of the caller says otherwise.
 */
import type { Act } from '../core/authorisation/act.ts'
import { type Holder, hasAct, type Refusal, reachOf, refusalOf, type Target } from '../core/authorisation/decide.ts'
import { grantText, type RoleGrant } from '../core/authorisation/role.ts'
import { assert, HubError, quote } from '../core/errors.ts'
import type { SerialNumber } from '../core/identity/credential.ts'
import type { IdentityId } from '../core/identity/id.ts'
import type { Identity } from '../core/identity/identity.ts'
import type { CredentialReader, IdentityReader } from './ports/store.ts'

/** Who uses the admin API. */
export interface Caller extends Holder {
  /** Tells callers apart for ever: `key:<16 hexadecimal characters>` or `user:<id>`. It has no line feed. */
  readonly id: string
  /** For the audit log: `key:<name>` or `user:<id>`. */
  readonly actor: string
  /**
   * A key of 32 bytes for one purpose, the caller's own, made from a secret that the registry does not hold (HKDF with
   * SHA-256, RFC 5869). Secret.
   */
  derivedKey(purpose: string): Uint8Array
}

/**
 * Asserts that a caller may.
 *
 * @param target facts that are true when the act is done: where it writes, they are read in its transaction
 * @param onRefusal told why not, for whoever counts refusals
 * @throws HubError `role-forbids`, `group-forbids`, `grant-exceeds`; {@link Foreign} for what is somebody else's, which is to be
 *   told as not there, in the words of the act
 */
export function authorise(caller: Caller, act: Act, target: Target, onRefusal?: (why: Refusal) => void): void {
  const refusal = refusalOf(caller, act, target)
  if (refusal === null) return
  onRefusal?.(refusal)
  throw refusalError(refusal, caller, act, target)
}

/** Thrown inside the hub alone: a target that the caller must not know of. */
export class Foreign extends Error {
  override readonly name = 'Foreign'
}

function refusalError(refusal: Refusal, caller: Caller, act: Act, target: Target): Error {
  switch (refusal) {
    case 'role': {
      const has = caller.grants.length === 0 ? 'no role' : caller.grants.map(grantText).join('; ')
      return new HubError('role-forbids', `${caller.actor} is ${has}, which does not allow ${act}`)
    }
    case 'group': {
      const named = target.kind === 'group' && target.group !== null ? `the group ${quote(target.group)}` : 'no group'
      const own = reachOf(caller, act) ?? []
      return new HubError('group-forbids', `${caller.actor} has no right to ${act} in ${named}`, {
        hint: `name a group of yours: ${own.map(quote).join(', ')}`,
      })
    }
    case 'exceeds': {
      const wanted = target.kind === 'given' ? grantText(target.grant) : 'that'
      const ends = caller.endsAtMs === null ? '' : `, and what it gives must end by ${isoTime(caller.endsAtMs)}`
      return new HubError('grant-exceeds', `${caller.actor} may not make anybody ${wanted}${ends}`)
    }
    case 'foreign':
      return new Foreign(`${caller.actor} does not reach the target of ${act}`)
  }
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}

/** As a transaction sees them, where something is to be written. */
interface Identities {
  readonly identities: Pick<IdentityReader, 'find'>
}
interface Certificates {
  readonly credentials: Pick<CredentialReader, 'findBySerial'>
}

/** What one request may do: its caller and its act, to be asked about each target. */
export class Access {
  readonly caller: Caller
  readonly act: Act
  readonly #onRefusal: (why: Refusal) => void
  #asked = false

  /**
   * @param onRefusal told of each refusal, for whoever counts them
   * @throws HubError `role-forbids` where no role of the caller has the act at all
   */
  constructor(caller: Caller, act: Act, onRefusal: (why: Refusal) => void = () => {}) {
    this.caller = caller
    this.act = act
    this.#onRefusal = onRefusal
    if (caller.grants.some((grant) => hasAct(grant, act))) return
    onRefusal('role')
    throw refusalError('role', caller, act, { kind: 'hub' })
  }

  /**
   * The same caller with another act, which the request asks for too.
   *
   * @throws HubError `role-forbids`
   */
  alsoFor(act: Act): Access {
    return new Access(this.caller, act, this.#onRefusal)
  }

  /** Whether a role of the caller has another act, which what is answered depends on. */
  hasAlso(act: Act): boolean {
    return this.caller.grants.some((grant) => hasAct(grant, act))
  }

  /** The groups that the act reaches, for the query of a list; null for everything. */
  groups(): readonly string[] | null {
    this.#asked = true
    return reachOf(this.caller, this.act)
  }

  /** Whether the caller may do it to this identity. */
  reaches(identity: Pick<Identity, 'kind' | 'group'>): boolean {
    this.#asked = true
    return refusalOf(this.caller, this.act, { kind: 'identity', identity }) === null
  }

  /** The act is done to the hub as a whole. */
  toHub(): void {
    this.#authorise({ kind: 'hub' })
  }

  /**
   * A device that comes into a group, or into none. Whoever moves one needs this for where it goes and `toIdentity` for where
   * it is.
   *
   * @throws HubError `group-forbids`
   */
  toGroup(group: string | null): void {
    this.#authorise({ kind: 'group', group })
  }

  /**
   * @param word what the act calls one that is not there: a refusal must not differ from that
   * @throws HubError `identity-not-found`, as if it were not there
   */
  toIdentity(identity: Pick<Identity, 'id' | 'kind' | 'group'>, word: 'device' | 'identity' = 'device'): void {
    try {
      this.#authorise({ kind: 'identity', identity })
    } catch (error) {
      throw error instanceof Foreign ? notThere(identity.id, word) : error
    }
  }

  /**
   * What the act reaches, as text that is another one once the caller's roles are: an answer that was kept for a request is
   * given only to who may still ask for it.
   */
  reach(): string {
    return JSON.stringify(reachOf(this.caller, this.act))
  }

  /**
   * The same for an identity as this transaction sees it. One that is not there is left to the act, which says so.
   *
   * @throws HubError `identity-not-found`
   */
  async toIdentityNamed(registry: Identities, id: IdentityId): Promise<void> {
    const identity = await registry.identities.find(id)
    if (identity === null) throw notThere(id, 'device')
    this.toIdentity(identity)
  }

  /** The same for the identity whose certificate it is. @throws HubError `credential-not-found` */
  async toCertificate(registry: Identities & Certificates, serialNumber: SerialNumber): Promise<void> {
    const credential = await registry.credentials.findBySerial(serialNumber)
    const identity = credential === null ? null : await registry.identities.find(credential.identityId)
    this.#asked = true
    if (identity !== null && this.reaches(identity)) return
    if (identity !== null) this.#onRefusal('foreign')
    throw new HubError('credential-not-found', `the registry holds no certificate ${quote(serialNumber)}`)
  }

  /** Whether a role that somebody has is one that the caller may know of and take away. */
  holdsMore(grant: RoleGrant): boolean {
    this.#asked = true
    return refusalOf(this.caller, this.act, { kind: 'held', grant }) === null
  }

  /** A role that somebody shall get. @throws HubError `grant-exceeds` */
  toGiven(grant: RoleGrant, endsAtMs: number | null): void {
    this.#authorise({ kind: 'given', grant, endsAtMs })
  }

  /** True where the act is allowed whatever it is done to. */
  isUnbounded(): boolean {
    return refusalOf(this.caller, this.act, { kind: 'hub' }) === null
  }

  /** Whoever forgets to ask does nothing: called before what was done is committed. */
  assertAsked(): void {
    assert(this.#asked || this.isUnbounded(), `${this.act} was done without asking whether its target may be reached`)
  }

  #authorise(target: Target): void {
    this.#asked = true
    authorise(this.caller, this.act, target, this.#onRefusal)
  }
}

/** What is said of an identity that is not there, and of one that is somebody else's. */
function notThere(id: IdentityId, word: string): HubError {
  return new HubError('identity-not-found', `there is no ${word} ${quote(id)}`)
}

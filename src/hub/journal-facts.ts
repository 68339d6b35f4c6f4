/** What the journal says has happened behind a place, folded into what still matters. */
import type { Fingerprint, RevocationReason } from '../core/identity/credential.ts'
import type { IdentityId } from '../core/identity/id.ts'
import type { Identity, IdentityState } from '../core/identity/identity.ts'
import type { Token } from '../core/identity/token.ts'
import { fullCrl } from './ports/crls.ts'
import type { NewHubEvent } from './ports/events.ts'
import type { RoleGrantRow } from './ports/grants.ts'
import type { Journal, JournalEntry } from './ports/journal.ts'
import type { RenewalContest } from './ports/renewals.ts'

/** What of an identity decides over access, as it was last. */
export type LastOfIdentity = Pick<Identity, 'group' | 'attributes' | 'keyStorage' | 'profiles' | 'names' | 'version'>

export type AnchorTerms = NonNullable<(NewHubEvent & { readonly type: 'anchor-changed' })['terms']>

/** One CRL among those of a trust anchor. */
export function crlKey(issuer: Fingerprint, part: string): string {
  return `${issuer} ${part}`
}

/** Access that was taken away, and numbers that were given away. */
export interface JournalFacts {
  readonly entries: number
  /** Credentials that were revoked, with the reason that stands and the time of the revocation. */
  readonly revoked: ReadonlyMap<Fingerprint, { readonly reason: RevocationReason; readonly atMs: number }>
  /** When credentials were superseded. */
  readonly superseded: ReadonlyMap<Fingerprint, number>
  /** Renewals that were contested, in their order. */
  readonly contests: readonly RenewalContest[]
  /** The last state of identities whose state was changed. */
  readonly states: ReadonlyMap<IdentityId, { readonly state: IdentityState; readonly atMs: number }>
  /** Group and grants of identities that something has happened to, as they were last, and the version that had them. */
  readonly identities: ReadonlyMap<IdentityId, LastOfIdentity>
  /** Definitions of profiles that were written since, as they were last; null for those that were removed. */
  readonly profiles: ReadonlyMap<string, string | null>
  /** Certificates that were pinned and are no more. */
  readonly pinsRemoved: ReadonlySet<Fingerprint>
  /** Trust anchors that lost their trust or were removed, by the fingerprints of their certificates. */
  readonly anchorsDistrusted: ReadonlySet<Fingerprint>
  /** When the latest CRLs were made that were given for trust anchors: by the fingerprints of those, and by {@link crlKey}. */
  readonly anchorCrls: ReadonlyMap<Fingerprint, ReadonlyMap<string, number>>
  /** What decided over access by trust anchors last, by the fingerprints of their certificates. */
  readonly anchorTerms: ReadonlyMap<Fingerprint, AnchorTerms>
  /** The policy that decided last, where another was made active: its file, or null for the default. Null where none was. */
  readonly policy: { readonly source: string | null } | null
  /** Tokens that were used or ended. */
  readonly tokens: ReadonlyMap<string, { readonly state: Exclude<Token['state'], 'open'>; readonly atMs: number }>
  /** Passwords that were ended, or superseded: the time at which they end. */
  readonly passwords: ReadonlyMap<string, number>
  /** API keys that were removed: id and name. */
  readonly apiKeys: ReadonlyMap<string, string>
  /** The highest CRL number of each authority, by shard. */
  readonly crlNumbers: ReadonlyMap<string, ReadonlyMap<number, bigint>>
  /** Authorities that were made or changed. */
  readonly authorities: ReadonlySet<string>
  /** Roles that were taken from people. One that was given back since is to be given again. */
  readonly roleGrants: readonly Omit<RoleGrantRow, 'mayRegister'>[]
  /** Credentials that were issued and not revoked since. */
  readonly issued: number
  /** Identities that were registered. */
  readonly registered: number
}

/**
 * Reads the journal behind a place.
 *
 * @throws HubError `journal-damaged`
 */
export async function journalFacts(journal: Journal, place: number): Promise<JournalFacts> {
  const fold = new Fold()
  for await (const group of journal.after(place)) for (const { entry } of group) fold.take(entry)
  return fold.facts()
}

class Fold {
  readonly #revoked = new Map<Fingerprint, { reason: RevocationReason; atMs: number }>()
  readonly #superseded = new Map<Fingerprint, number>()
  readonly #contests: RenewalContest[] = []
  readonly #states = new Map<IdentityId, { state: IdentityState; atMs: number }>()
  readonly #identities = new Map<IdentityId, LastOfIdentity>()
  readonly #profiles = new Map<string, string | null>()
  readonly #anchorCrls = new Map<Fingerprint, Map<string, number>>()
  readonly #anchorTerms = new Map<Fingerprint, AnchorTerms>()
  readonly #anchorsDistrusted = new Set<Fingerprint>()
  readonly #pinsRemoved = new Set<Fingerprint>()
  #policy: { readonly source: string | null } | null = null
  readonly #tokens = new Map<string, { state: 'used' | 'revoked'; atMs: number }>()
  readonly #passwords = new Map<string, number>()
  readonly #apiKeys = new Map<string, string>()
  readonly #crlNumbers = new Map<string, Map<number, bigint>>()
  readonly #roleGrants: Omit<RoleGrantRow, 'mayRegister'>[] = []
  readonly #authorities = new Set<string>()
  readonly #issued = new Set<Fingerprint>()
  readonly #registered = new Set<IdentityId>()
  #entries = 0

  take({ event, atMs, credential, identity }: JournalEntry): void {
    this.#entries += 1
    if (identity !== null) {
      const { group, attributes, keyStorage, profiles, names, version } = identity
      this.#identities.set(identity.id, { group, attributes, keyStorage, profiles, names, version })
    }
    switch (event.type) {
      case 'credential-issued':
      case 'credential-adopted':
        this.#issued.add(event.fingerprint)
        if (credential?.tokenId != null) this.#tokens.set(credential.tokenId, { state: 'used', atMs })
        return
      case 'credential-revoked':
        this.#revoked.set(event.fingerprint, { reason: event.reason, atMs: credential?.revokedAtMs ?? atMs })
        this.#issued.delete(event.fingerprint)
        return
      case 'identity-registered':
        this.#registered.add(event.identityId)
        return
      case 'identity-state-changed':
        this.#states.set(event.identityId, { state: event.state, atMs })
        return
      case 'token-ended':
        this.#tokens.set(event.tokenId, { state: event.state, atMs })
        return
      case 'password-ended':
        this.#passwords.set(event.passwordId, atMs)
        return
      case 'password-superseded':
        this.#passwords.set(event.passwordId, event.endsAtMs)
        return
      case 'api-key-removed':
        this.#apiKeys.set(event.keyId, event.name)
        return
      case 'role-grant-removed':
        this.#roleGrants.push({ identityId: event.identityId, role: event.role, group: event.group })
        return
      case 'crl-published': {
        const number = BigInt(event.crlNumber)
        // Versions without shards had the full CRL alone.
        const shard = event.shard ?? fullCrl
        const numbers = this.#crlNumbers.get(event.authorityId) ?? new Map<number, bigint>()
        if (number > (numbers.get(shard) ?? 0n)) this.#crlNumbers.set(event.authorityId, numbers.set(shard, number))
        return
      }
      case 'pin-removed':
        this.#pinsRemoved.add(event.fingerprint)
        return
      // What was pinned since, perhaps for another device, is pinned again by an operator.
      case 'pin-added':
        return
      case 'anchor-changed':
        if (event.crlThisUpdateMs !== undefined) this.#noteCrl(event, event.crlThisUpdateMs)
        if (event.terms !== undefined) this.#anchorTerms.set(event.fingerprint, event.terms)
        if (event.state === 'trusted') this.#anchorsDistrusted.delete(event.fingerprint)
        else this.#anchorsDistrusted.add(event.fingerprint)
        return
      case 'policy-activated':
        this.#policy = { source: event.source }
        return
      case 'profile-changed':
        this.#profiles.set(event.name, event.definition)
        return
      case 'credential-superseded':
        this.#superseded.set(event.fingerprint, atMs)
        return
      case 'renewal-contested': {
        const { identityId, parentSerial, rivalSerial, serialNumber } = event
        this.#contests.push({ identityId, parentSerial, rivalSerial, serialNumber, atMs })
        return
      }
      // What was given since is given again by an operator.
      case 'password-set':
        return
      // What was released since waits for its release again; a device that goes on with what it has is used again.
      case 'credential-activated':
      case 'policy-shadowed':
      case 'credential-released':
      case 'enrolment-decided':
      case 'registry-restored':
        return
      case 'authority-changed':
        this.#authorities.add(event.authorityId)
        return
    }
  }

  #noteCrl(event: NewHubEvent & { readonly type: 'anchor-changed' }, thisUpdateMs: number): void {
    const { fingerprint, crlIssuer = fingerprint, crlPart = '' } = event
    const known = this.#anchorCrls.get(fingerprint) ?? new Map<string, number>()
    this.#anchorCrls.set(fingerprint, known.set(crlKey(crlIssuer, crlPart), thisUpdateMs))
  }

  facts(): JournalFacts {
    return {
      entries: this.#entries,
      revoked: this.#revoked,
      superseded: this.#superseded,
      contests: this.#contests,
      states: this.#states,
      identities: this.#identities,
      profiles: this.#profiles,
      policy: this.#policy,
      anchorCrls: this.#anchorCrls,
      anchorTerms: this.#anchorTerms,
      anchorsDistrusted: this.#anchorsDistrusted,
      pinsRemoved: this.#pinsRemoved,
      tokens: this.#tokens,
      passwords: this.#passwords,
      apiKeys: this.#apiKeys,
      roleGrants: this.#roleGrants,
      crlNumbers: this.#crlNumbers,
      authorities: this.#authorities,
      issued: this.#issued.size,
      registered: this.#registered.size,
    }
  }
}

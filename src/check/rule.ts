/** What a rule of the check is given and what it finds. A rule stands in a file of its own below `rules/`. */
import type { X509Certificate } from 'node:crypto'
import type { Realm } from '../core/identity/id.ts'
import type { Profile } from '../core/profile/profile.ts'
import type { CertificateFields } from '../core/x509/certificate.ts'
import type { AuthorityRow } from '../hub/ports/authorities.ts'
import type { KeyStore } from '../hub/ports/signer.ts'
import type { RegistrySnapshot } from '../hub/ports/snapshot.ts'
import type {
  AdoptionTable,
  CredentialTable,
  IdentityTable,
  PasswordTable,
  RowOf,
  TokenTable,
} from '../store/schema.ts'
import type { ProfileHistory } from './profile-history.ts'

/** Something that is not as it should be. */
export interface Problem {
  /** What it is about: an identity id, a serial number, a number of an event or an entry, a name. */
  readonly subject: string
  /** What is wrong, as a sentence without a subject: "is revoked and has no date". */
  readonly sentence: string
}

export interface CheckedAuthority
  extends Pick<AuthorityRow, 'id' | 'role' | 'parentId' | 'state' | 'keyPlace' | 'createdAtMs'> {
  readonly der: Uint8Array
  /** Null where the certificate cannot be read. */
  readonly fields: CertificateFields | null
  readonly certificate: X509Certificate | null
}

/** What every rule may look at. */
export interface CheckContext {
  readonly snapshot: RegistrySnapshot
  readonly authorities: ReadonlyMap<string, CheckedAuthority>
  /** By name: those that every hub has, and those of the registry that can be read. */
  readonly profiles: ReadonlyMap<string, Profile>
  /** What they said earlier. */
  readonly profileHistory: ProfileHistory
  /** Null where the registry names none. */
  readonly realm: Realm | null
  /** The authority's keys, or null where nobody gave their passphrase. */
  readonly keys: KeyStore | null
}

export type IdentityRow = RowOf<IdentityTable>
export type CredentialRow = RowOf<CredentialTable>
export type TokenRow = RowOf<TokenTable>
export type PasswordRow = RowOf<PasswordTable>
export type AdoptionRow = RowOf<AdoptionTable>

/** All that the registry holds under one id. */
export interface IdentityGroup {
  readonly id: string
  /** Null where others refer to an identity that is not there. */
  readonly identity: IdentityRow | null
  /** Oldest first. */
  readonly credentials: readonly CredentialRow[]
  readonly tokens: readonly TokenRow[]
  readonly passwords: readonly PasswordRow[]
  readonly adoption: AdoptionRow | null
}

interface Rule {
  /** The name of its file. */
  readonly name: string
  /** Why it must hold: the clause, or what would go wrong. */
  readonly reason: string
}

/** A rule about what stands under one id. */
export interface IdentityRule extends Rule {
  look(group: IdentityGroup, context: CheckContext): Iterable<Problem>
}

/** A rule about something else; it reads what it needs. */
export interface RegistryRule extends Rule {
  /** False leaves it out, as when the keys cannot be opened. */
  canLook(context: CheckContext): boolean
  look(context: CheckContext): AsyncIterable<Problem>
}

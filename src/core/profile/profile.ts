/**
 * Certificate profiles: what a certificate of each kind says, what it may do, how long it lives, and who decides which part.
 * A profile is a value that can be written as JSON; docs/profiles.md explains every field to operators.
 *
 * Three decide. The *profile* itself, by what stands in it. The *registry*, by what an operator wrote down for an identity:
 * id, kind, group, attributes, names, grants. The *requester*, an operator who orders one certificate; a certificate request
 * decides its public key and nothing else.
 */
import type { IdentityKind } from '../identity/id.ts'
import type { SignatureHash } from '../x509/algorithms.ts'
import type { KeyUsage } from '../x509/extensions.ts'
import type { KeyType } from '../x509/public-key.ts'
import type { SubjectPattern } from './subject.ts'

/** Where the names of one kind come from. All sources that are given are used; without any there is no such name. */
export interface NameSources {
  /** Decided by the profile: patterns over what the registry knows. */
  readonly patterns: readonly string[]
  /** Decided by the registry: the names that are written down for the identity. */
  readonly registry: boolean
  /**
   * Decided by the requester: what an order may name. DNS names and mailboxes lie in one of the domains, addresses in one of
   * the networks (CIDR); none are allowed where the list is empty.
   */
  readonly requester: 'any' | readonly string[]
}

export interface ProfileNames {
  readonly dns: NameSources
  readonly ip: NameSources
  readonly email: NameSources
  /** Whether each IPv4 address also stands as a DNS name, for mbedTLS 2, which compares addresses with nothing else. */
  readonly addressesAsDns: boolean
}

export interface ProfileRenewal {
  /** From which part of its life on a certificate is renewed, above 0 and below 1. */
  readonly windowFrom: number
  /** How long after its end it may still be renewed, with the same key; 0 for never. */
  readonly afterExpirySec: number
  /** Whether a certificate that was renewed after its end waits in quarantine for an operator. */
  readonly quarantineAfterExpiry: boolean
  /** How long a certificate waits for its first use before it lapses. */
  readonly pendingLapsesSec: number
}

/** What is done with a certificate request that asks for what is not its to decide. */
export type Excess = 'refuse' | 'ignore'

export interface Profile {
  /** Stored with each credential; never given to another profile. */
  readonly name: string
  readonly description: string
  /** Whose identities it can be granted to; nobody's where the hub keeps it for itself. */
  readonly kinds: readonly IdentityKind[]
  /** In the order of the encoding; none for an empty subject, whose alternative names are critical then. */
  readonly subject: readonly SubjectPattern[]
  /** The alternative names beside the SPIFFE ID, which every identity has and which is the only URI. */
  readonly names: ProfileNames
  readonly keyUsage: readonly KeyUsage[]
  /** Dotted object identifiers; none in the certificates of authorities. */
  readonly extendedKeyUsage: readonly string[]
  /** What an order may ask for beside them. */
  readonly optionalExtendedKeyUsage: readonly string[]
  /** Certificate authorities that may follow below; null for a certificate that is no authority. */
  readonly pathLength: number | null
  /** How long a certificate stays good, counted from its issue, where nobody asks for less or more. */
  readonly lifetimeSec: number
  /** The longest that an order may ask for. */
  readonly lifetimeMaxSec: number
  /** How long before its issue it starts, for peers whose clock runs behind. */
  readonly backdateSec: number
  /** The first is the kind of key that the hub makes where it makes one. */
  readonly keyTypes: readonly KeyType[]
  /** Hash of the issuer's signature; null for the one that is as strong as the issuer's key. Ed25519 has its own. */
  readonly hash: SignatureHash | null
  /** The chain of authorities that signs, where an order does not name another. */
  readonly chain: string
  /** Which programs must read certificate, key file and chain. */
  readonly compatibility: 'modern' | 'mbedtls'
  /** Whether its holder may come in as a client of the gate. */
  readonly mayConnect: boolean
  /** Where a reader is told to look for revocations. */
  readonly status: { readonly crl: boolean; readonly ocsp: boolean }
  readonly excess: Excess
  /** Whether an operator approves each request of a device. */
  readonly approval: boolean
  readonly renewal: ProfileRenewal
}

/** What every profile of an identity has where nothing else is said. */
export const noNameSources: NameSources = { patterns: [], registry: false, requester: [] }

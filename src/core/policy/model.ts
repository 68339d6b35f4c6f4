/**
 * A policy as values: who a certificate speaks for, and what that identity may do. It is read from a policy file and
 * compiled into rights; nothing here knows how it is written.
 */
import type { IdentityKind } from '../identity/id.ts'
import type { KeyStorage } from '../identity/identity.ts'
import type { ProofKind } from '../identity/proof.ts'
import type { Action, Decision } from './rights.ts'

export interface Policy {
  /** In the order in which they are tried. */
  readonly identify: readonly IdentificationRule[]
  /** By name; a ready-made role of that name counts no more. */
  readonly roles: ReadonlyMap<string, Role>
  readonly bindings: readonly Binding[]
  /** Whom expectations may speak of without a row in the registry, by id. */
  readonly subjects: ReadonlyMap<string, TestSubject>
  readonly expectations: readonly Expectation[]
}

/** Where something stands in the policy file, both counted from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** Which field of the leaf names the identity. */
export const nameSources = ['cn', 'subject.serialNumber', 'san.uri', 'san.dns', 'san.email', 'thumbprint'] as const
export type NameSource = (typeof nameSources)[number]

/** What becomes of a certificate that names an identity which the registry does not know. */
export const unknownActs = ['deny', 'pending', 'create'] as const
export type UnknownAct = (typeof unknownActs)[number]

/** How a certificate of a trust anchor is turned into an identity. Ours need none: they are their rows. */
export interface IdentificationRule {
  readonly name: string
  /** Trust anchors by id, at least one: a rule is always bound to an issuer. */
  readonly anchors: readonly string[]
  /** Listeners by name; empty for all. */
  readonly listeners: readonly string[]
  /** Null where any certificate of these anchors will do, which is written out as `anyCertificate: true`. */
  readonly from: NameSource | null
  /** A pattern of the linear subset, anchored at both ends, with named groups; null where `from` is. */
  readonly match: string | null
  /** The identity's id: text with `${name}` for each named group. */
  readonly identity: string
  readonly onUnknown: UnknownAct
  /** Group of an identity that is registered by it, and the only one whose identities it may find; null for none. */
  readonly group: string | null
  readonly place: Place
}

/** A named set of statements. */
export interface Role {
  readonly name: string
  /** What a binding may set, with the text that stands for it otherwise; reached as `${role.<name>}`. */
  readonly parameters: ReadonlyMap<string, string>
  readonly statements: readonly Statement[]
  readonly limits: RoleLimits
}

export interface Statement {
  readonly effect: 'allow' | 'deny'
  readonly actions: readonly Action[]
  /** Topic filters with variables; empty for a statement about `connect` alone. */
  readonly topics: readonly string[]
  readonly when: Conditions
  readonly place: Place
}

/** All that are given must hold. What is not known of a subject makes an allow not match, and a deny match. */
export interface Conditions {
  readonly kinds?: readonly IdentityKind[]
  readonly groups?: readonly string[]
  /** By attribute: any of these values. */
  readonly attributes?: ReadonlyMap<string, readonly string[]>
  readonly proofs?: readonly ProofKind[]
  /** Ids of our authorities or of trust anchors. */
  readonly issuers?: readonly string[]
  /** Profiles of certificates of ours. */
  readonly profiles?: readonly string[]
  readonly keyStorages?: readonly KeyStorage[]
  readonly tlsMin?: '1.2' | '1.3'
  /** Networks as `10.0.0.0/8` or `2001:db8::/32`. */
  readonly sources?: readonly string[]
  readonly listeners?: readonly string[]
  readonly time?: TimeWindow
}

export interface TimeWindow {
  /** Milliseconds since the epoch; null for no end on that side. */
  readonly notBeforeMs: number | null
  readonly notAfterMs: number | null
  /** Minutes since midnight, `from` below or above `until`; null for the whole day. */
  readonly daily: { readonly fromMinute: number; readonly untilMinute: number } | null
  /** 0 is Sunday; empty for every day. */
  readonly weekdays: readonly number[]
  /** Of the IANA database, as in `Europe/Berlin`. */
  readonly zone: string
}

/** Where several roles set one, the smallest counts. */
export interface RoleLimits {
  readonly qosMax?: 0 | 1 | 2
  readonly payloadBytesMax?: number
  readonly publishesPerSecondMax?: number
  readonly subscriptionsMax?: number
  readonly sessionsMax?: number
  /** Text with variables that the client id must be. */
  readonly clientId?: string
}

/** Gives roles to identities and groups, never to certificates. */
export interface Binding {
  readonly roles: readonly BoundRole[]
  readonly to:
    | { readonly kind: 'everyone' }
    | { readonly kind: 'identities'; readonly ids: readonly string[] }
    | { readonly kind: 'groups'; readonly groups: readonly string[] }
    | { readonly kind: 'kinds'; readonly kinds: readonly IdentityKind[] }
  readonly place: Place
}

export interface BoundRole {
  readonly name: string
  /** Text with variables for parameters of the role. */
  readonly parameters: ReadonlyMap<string, string>
}

/** An identity that exists for the tests in a policy file alone. */
export interface TestSubject {
  readonly id: string
  readonly kind: IdentityKind
  readonly group: string | null
  readonly attributes: Readonly<Record<string, string>>
  readonly keyStorage: KeyStorage | null
}

/** How somebody is connected for an expectation; null where it is as usual, see `testSubject`. */
export interface TestConnection {
  readonly address: string | null
  readonly tlsVersion: '1.2' | '1.3' | null
  readonly listener: string | null
  readonly clientId: string | null
  /** Milliseconds since the epoch; null for now. */
  readonly atMs: number | null
  readonly proof: ProofKind | null
  /** Of the certificate: one of our authorities, or the trust anchor. */
  readonly issuer: string | null
  /** Of a certificate of ours. */
  readonly profile: string | null
}

export const usualConnection: TestConnection = {
  ...{ address: null, tlsVersion: null, listener: null, clientId: null, atMs: null },
  ...{ proof: null, issuer: null, profile: null },
}

/** `pump-7 publish spBv1.0/G2/NDATA/e => deny`. */
export interface Expectation {
  readonly subject: string
  readonly action: Action
  /** Empty where the action is `connect`. */
  readonly topic: string
  readonly allowed: Decision['allowed']
  /** One for all expectations that are written under it. */
  readonly connection: TestConnection
  readonly place: Place
}

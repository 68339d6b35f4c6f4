import { HubError, quote } from '../errors.ts'
import { limits } from '../limits.ts'

declare const identityIdBrand: unique symbol

/**
 * The id of an identity: 1 to 64 characters of `A-Z a-z 0-9 . _ -`, the first a letter or digit. It fits an X.520 common
 * name and a SPIFFE path segment, and carries nothing that has a meaning in an MQTT topic (`+ # / $`).
 */
export type IdentityId = string & { readonly [identityIdBrand]: true }

const idPattern = /^[A-Za-z0-9][A-Za-z0-9._-]*$/

export function isIdentityId(value: string): value is IdentityId {
  return value.length <= limits.identityIdCharsMax && idPattern.test(value)
}

/** @throws HubError `identity-id-invalid` */
export function parseIdentityId(value: string): IdentityId {
  if (isIdentityId(value)) return value
  throw new HubError('identity-id-invalid', `${quote(value)} is not an identity id`)
}

declare const realmBrand: unique symbol

/**
 * The trust domain of a hub, the host part of its SPIFFE IDs: lower-case letters, digits, `.`, `-` and `_`, at most 255
 * (SPIFFE-ID §2.1).
 */
export type Realm = string & { readonly [realmBrand]: true }

/** @throws HubError `config-invalid` */
export function parseRealm(value: string): Realm {
  if (/^[a-z0-9][a-z0-9._-]{0,254}$/.test(value)) return value as Realm
  throw new HubError('config-invalid', `${quote(value)} is not a realm`, {
    hint: 'use lower-case letters, digits, ".", "-" and "_", as in "plant.example"',
  })
}

/** The SPIFFE ID of an identity, the one URI in its certificates: `spiffe://<realm>/<kind>/<id>`. */
export function spiffeId(realm: Realm, kind: IdentityKind, id: IdentityId): string {
  return `spiffe://${realm}/${kind}/${id}`
}

/** Who a certificate can speak for. */
export const identityKinds = ['device', 'service', 'user'] as const
export type IdentityKind = (typeof identityKinds)[number]

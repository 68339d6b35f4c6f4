import { HubError, quote } from '../errors.ts'
import type { FailureName } from '../failure/catalogue.ts'
import { limits } from '../limits.ts'
import type { IdentityId, IdentityKind } from './id.ts'

/** pending → active ⇄ disabled → retired. A retired identity never comes back and its id is never used again. */
export const identityStates = ['pending', 'active', 'disabled', 'retired'] as const
export type IdentityState = (typeof identityStates)[number]

/** Where the private key of an identity lives, as its operator says. */
export const keyStorages = ['software', 'secure-element', 'tpm', 'hsm'] as const
export type KeyStorage = (typeof keyStorages)[number]

/** Who a certificate speaks for. */
export interface Identity {
  readonly id: IdentityId
  readonly kind: IdentityKind
  readonly state: IdentityState
  readonly group: string | null
  readonly attributes: Readonly<Record<string, string>>
  /** Profiles that its certificates may be made from, by name. */
  readonly profiles: readonly string[]
  /** What its certificates may call it beside its id. */
  readonly names: IdentityNames
  /** Null where nobody has said. */
  readonly keyStorage: KeyStorage | null
  /** Milliseconds since the epoch. */
  readonly createdAtMs: number
  readonly updatedAtMs: number
  /** 1 at its registration, one more with every change: whoever edits it says which one was read. */
  readonly version: number
}

/** Names of an identity in the world outside, which the registry keeps and no request chooses. */
export interface IdentityNames {
  readonly dnsNames: readonly string[]
  /** IPv4 or IPv6 addresses as text. */
  readonly ipAddresses: readonly string[]
  readonly emails: readonly string[]
}

export const noNames: IdentityNames = { dnsNames: [], ipAddresses: [], emails: [] }

/** The profiles that an identity of a kind is granted when nobody says otherwise. */
export const profilesOfKind: Readonly<Record<IdentityKind, readonly string[]>> = {
  device: ['device'],
  service: ['server'],
  user: ['user'],
}

/** An identity that an earlier version wrote down, which knew of no grants: it has what its kind has. */
export function withGrants(
  identity: Omit<Identity, 'profiles' | 'names' | 'keyStorage'> & Partial<Identity>,
): Identity {
  return { profiles: profilesOfKind[identity.kind] ?? [], names: noNames, keyStorage: null, ...identity }
}

const transitions: Readonly<Record<IdentityState, readonly IdentityState[]>> = {
  pending: ['active', 'disabled', 'retired'],
  active: ['disabled', 'retired'],
  disabled: ['active', 'retired'],
  retired: [],
}

/**
 * The identity in another state. Moving to the state it is in already changes nothing.
 *
 * @throws HubError `transition-illegal`
 */
export function identityMovedTo(identity: Identity, state: IdentityState, nowMs: number): Identity {
  if (identity.state === state) return identity
  if (!transitions[identity.state].includes(state)) {
    throw new HubError('transition-illegal', `${quote(identity.id)} is ${identity.state} and cannot become ${state}`)
  }
  return { ...identity, state, updatedAtMs: nowMs, version: identity.version + 1 }
}

/** Why an identity in this state may not connect, or null when it may. */
export function identityRefusal(state: IdentityState): FailureName | null {
  switch (state) {
    case 'active':
      return null
    case 'pending':
      return 'identity-pending'
    case 'disabled':
      return 'identity-disabled'
    case 'retired':
      return 'identity-retired'
  }
}

/**
 * A group name: 1 to 64 characters, none of them a control character or one of `+ # /`, which would reach into topics.
 *
 * @throws HubError `request-invalid`
 */
export function parseGroup(value: string): string {
  if (value.length > 0 && value.length <= limits.groupCharsMax && isPlainText(value)) return value
  throw new HubError('request-invalid', `${quote(value)} is not a group name`, {
    hint: `use 1 to ${limits.groupCharsMax} characters without + # / or control characters`,
  })
}

/**
 * Attributes of an identity: at most 32 names of `A-Z a-z 0-9 _ -` with values of at most 256 characters, free of control
 * characters and of `+ # /`.
 *
 * @throws HubError `request-invalid`
 */
export function parseAttributes(entries: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const names = Object.keys(entries)
  if (names.length > limits.attributesMax) {
    throw new HubError('request-invalid', `${names.length} attributes are more than ${limits.attributesMax}`)
  }
  for (const name of names) {
    if (!/^[A-Za-z][A-Za-z0-9_-]*$/.test(name) || name.length > limits.attributeNameCharsMax) {
      throw new HubError('request-invalid', `${quote(name)} is not an attribute name`, {
        hint: 'use letters, digits, "_" and "-", a letter first',
      })
    }
    const value = entries[name] ?? ''
    if (value.length > limits.attributeValueCharsMax || !isPlainText(value)) {
      throw new HubError('request-invalid', `the value ${quote(value)} of attribute ${name} cannot be kept`, {
        hint: `use at most ${limits.attributeValueCharsMax} characters without + # / or control characters`,
      })
    }
  }
  return { ...entries }
}

function isPlainText(value: string): boolean {
  // Half a surrogate pair is no character: databases keep another one in its place.
  if (!value.isWellFormed()) return false
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
  return value === value.normalize('NFC') && !/[\u0000-\u001f\u007f-\u009f+#/]/.test(value)
}

/** Profiles as JSON: what an operator writes, and what is answered. docs/profiles.md explains every field. */
import { z } from 'zod'
import { identityKinds } from '../core/identity/id.ts'
import { limits } from '../core/limits.ts'
import { deviceProfile } from '../core/profile/built-in.ts'
import type { Profile } from '../core/profile/profile.ts'
import { subjectAttributeTypes } from '../core/profile/subject.ts'
import { keyUsages } from '../core/x509/extensions.ts'
import { oidName, oids } from '../core/x509/oids.ts'
import { chainName } from './authority-requests.ts'
import { answerNamed, requestNamed } from './components.ts'

/** Extended key usages that can be written by name. */
const purposeNames = ['clientAuth', 'serverAuth', 'codeSigning', 'emailProtection'] as const

const pattern = z.string().min(1).max(limits.profilePatternCharsMax)
const patterns = z.array(pattern).max(limits.profilePatternsMax)
const seconds = (min: number, max: number) => z.number().int().min(min).max(max)
const lifetime = seconds(limits.profileLifetimeSecMin, limits.profileLifetimeSecMax)
const purposes = z
  .array(z.string().regex(/^(?:[a-z][A-Za-z]{1,63}|[0-2](?:\.(?:0|[1-9][0-9]{0,8})){1,15})$/))
  .max(limits.profilePurposesMax)

const sources = z
  .strictObject({
    patterns: patterns.meta({
      description: 'decided by the profile: text with {id}, {kind}, {group}, {realm} and {attr.NAME}',
    }),
    registry: z.boolean().meta({ description: 'decided by the registry: the names that are written down for it' }),
    requester: z.union([z.literal('any'), z.array(z.string().min(1).max(253)).max(limits.profilePatternsMax)]).meta({
      description:
        'decided by the requester: what an order may name. Domains for DNS names and mailboxes, networks in CIDR form for addresses, or "any"; nothing where the list is empty',
    }),
  })
  .partial()

/** Every field but the name, each as it may be left out. */
const fields = {
  description: z.string().max(limits.profileDescriptionCharsMax).meta({ description: 'what it is for' }),
  kinds: z.array(z.enum(identityKinds)).min(1).max(identityKinds.length).meta({
    description: 'whose identities it can be granted to',
  }),
  subject: z
    .array(z.strictObject({ type: z.enum(subjectAttributeTypes), value: pattern }))
    .max(limits.profileSubjectAttributesMax)
    .meta({
      description:
        'decided by the profile: attributes in the order of the encoding, with the placeholders of names and {name}',
    }),
  names: z
    .strictObject({
      dns: sources,
      ip: sources,
      email: sources,
      addressesAsDns: z.boolean().meta({ description: 'writes each IPv4 address as a DNS name too, for mbedTLS 2' }),
    })
    .partial()
    .meta({ description: 'alternative names beside the SPIFFE ID, and where they come from' }),
  keyUsage: z.array(z.enum(keyUsages)).min(1).max(limits.profilePurposesMax),
  extendedKeyUsage: purposes.min(1).meta({
    description: `${purposeNames.join(', ')}, or dotted numbers`,
  }),
  optionalExtendedKeyUsage: purposes.meta({
    description: 'decided by the requester: what an order may ask for beside them',
  }),
  lifetimeSec: lifetime.meta({ description: 'how long a certificate is good where nobody asks for something else' }),
  lifetimeMaxSec: lifetime.meta({ description: 'decided by the requester: the longest that an order may ask for' }),
  backdateSec: seconds(0, limits.profileBackdateSecMax).meta({
    description: 'how long before its issue it starts, for peers whose clock runs behind',
  }),
  keyTypes: z
    .array(z.enum(['P-256', 'P-384', 'RSA', 'RSA-2048', 'RSA-3072', 'RSA-4096', 'Ed25519']))
    .min(1)
    .max(7)
    .meta({ description: 'RSA alone: 2048 to 4096 bits; the first is what the hub makes where it makes the key' }),
  hash: z.enum(['sha256', 'sha384', 'sha512']).nullable().meta({
    description: "of the issuer's signature; null for the one that is as strong as the issuer's key",
  }),
  chain: chainName.meta({ description: 'of authorities that signs, where an order does not name another' }),
  compatibility: z.enum(['modern', 'mbedtls']),
  mayConnect: z
    .boolean()
    .meta({ description: 'whether its holder may come in as a client of the gate; never changed later' }),
  status: z
    .strictObject({ crl: z.boolean(), ocsp: z.boolean() })
    .partial()
    .meta({ description: 'where a reader is told to look for revocations' }),
  excess: z.enum(['refuse', 'ignore']).meta({
    description: 'what is done with a certificate request that asks for what is not its to decide',
  }),
  approval: z.boolean().meta({ description: 'whether an operator approves each request of a device' }),
  renewal: z
    .strictObject({
      windowFrom: z.number().min(0.05).max(0.95),
      afterExpirySec: seconds(0, limits.profileGraceSecMax),
      quarantineAfterExpiry: z.boolean(),
      pendingLapsesSec: seconds(limits.profileLifetimeSecMin, limits.profileGraceSecMax),
    })
    .partial()
    .meta({ description: 'when a certificate is renewed, and until when' }),
} as const

/** Judged by `parseOwnProfile`, whose sentence says more. */
const profileName = z.string().meta({
  pattern: '^[a-z][a-z0-9-]*$',
  minLength: 1,
  maxLength: limits.profileNameCharsMax,
  description: 'a-z 0-9 -, a letter first',
})

const definition = z.strictObject({ name: profileName, ...z.strictObject(fields).partial().shape })
const given = definition.partial()
/** What of a profile somebody says. */
type ProfileGiven = z.output<typeof given>

/** POST /api/v1/profiles → 201 ProfileView; the file of `handfast profile add`. */
export const addProfileRequest = requestNamed(
  'AddProfileRequest',
  'A profile to add. What is left out is as in `device`; `mayConnect` follows from clientAuth, and `lifetimeMaxSec` from `lifetimeSec`.',
  definition.required({ kinds: true, extendedKeyUsage: true }).check(purposesKnown),
)
export type AddProfileRequest = z.input<typeof addProfileRequest>

/** PATCH /api/v1/profiles/{name} → 200 ProfileView; a JSON merge patch (RFC 7396) without null. */
export const changeProfileRequest = requestNamed(
  'ChangeProfileRequest',
  'What shall be otherwise: what is absent stays as it is, a list takes the place of the list before.',
  given.check(purposesKnown),
)
export type ChangeProfileRequest = z.input<typeof changeProfileRequest>

/** The profile in a path. */
export const profileParams = z.strictObject({ name: profileName })

const whole = z.strictObject(fields)
const wholeSources = sources.required()

export const profileDefinitionView = answerNamed(
  'ProfileDefinition',
  'A profile as it can be added under another name.',
  z.object({
    name: z.string(),
    ...whole.shape,
    names: z.object({
      ...{ dns: wholeSources, ip: wholeSources, email: wholeSources },
      addressesAsDns: z.boolean(),
    }),
    status: z.object({ crl: z.boolean(), ocsp: z.boolean() }),
    renewal: fields.renewal.required(),
  }),
)
export type ProfileDefinitionView = z.infer<typeof profileDefinitionView>

export const profileView = answerNamed(
  'ProfileView',
  'A profile and where it comes from.',
  z.object({
    builtIn: z.boolean().meta({ description: 'one that every hub has and that stays as it is' }),
    version: z.number().int().min(1).meta({ description: 'one more with every change; in quotes it is the ETag' }),
    updatedAt: z.string().nullable().meta({ format: 'date-time', description: 'null for a built-in one' }),
    definition: profileDefinitionView,
  }),
)
export type ProfileView = z.infer<typeof profileView>

export const profileListView = answerNamed(
  'ProfileList',
  'Every profile that can be granted: the built-in ones, then your own by name.',
  z.object({ items: z.array(profileView) }),
)
export type ProfileListView = z.infer<typeof profileListView>

/** The profile that a request describes: what it leaves out is as in `before`. */
export function withGiven(before: Profile, given: ProfileGiven): Profile {
  const { names, status, renewal, extendedKeyUsage, optionalExtendedKeyUsage, ...rest } = given
  return {
    ...before,
    ...defined(rest),
    names: {
      dns: { ...before.names.dns, ...defined(names?.dns ?? {}) },
      ip: { ...before.names.ip, ...defined(names?.ip ?? {}) },
      email: { ...before.names.email, ...defined(names?.email ?? {}) },
      addressesAsDns: names?.addressesAsDns ?? before.names.addressesAsDns,
    },
    status: { ...before.status, ...defined(status ?? {}) },
    renewal: { ...before.renewal, ...defined(renewal ?? {}) },
    extendedKeyUsage: extendedKeyUsage?.map(purposeOid) ?? before.extendedKeyUsage,
    optionalExtendedKeyUsage: optionalExtendedKeyUsage?.map(purposeOid) ?? before.optionalExtendedKeyUsage,
  }
}

/** The profile that a request to add one describes. */
export function profileFrom(given: z.output<typeof addProfileRequest>): Profile {
  const lifetimeSec = given.lifetimeSec ?? deviceProfile.lifetimeSec
  return withGiven(deviceProfile, {
    description: '',
    lifetimeMaxSec: lifetimeSec,
    mayConnect: given.extendedKeyUsage.map(purposeOid).includes(oids.clientAuth),
    ...given,
  })
}

/** A profile as its operator would have written it. */
export function toDefinition(profile: Profile): ProfileDefinitionView {
  const { pathLength: _pathLength, extendedKeyUsage, optionalExtendedKeyUsage, ...rest } = profile
  return structuredClone({
    ...rest,
    extendedKeyUsage: extendedKeyUsage.map(purposeName),
    optionalExtendedKeyUsage: optionalExtendedKeyUsage.map(purposeName),
  }) as ProfileDefinitionView
}

function purposeName(oid: string): string {
  const name = oidName(oid)
  return purposeNames.some((each) => each === name) ? name : oid
}

function purposeOid(text: string): string {
  return isNamed(text) ? oids[text] : text
}

/** Any purpose that has a name here; those that are not given are refused by that name. */
function isNamed(text: string): text is keyof typeof oids {
  return Object.hasOwn(oids, text)
}

function purposesKnown({
  value,
  issues,
}: z.core.ParsePayload<Pick<ProfileGiven, 'extendedKeyUsage' | 'optionalExtendedKeyUsage'>>): void {
  for (const field of ['extendedKeyUsage', 'optionalExtendedKeyUsage'] as const) {
    for (const [index, purpose] of (value[field] ?? []).entries()) {
      if (/^[0-9]/.test(purpose) || isNamed(purpose)) continue
      const message = `${JSON.stringify(purpose)} is no purpose that has a name here`
      const hint = `use ${purposeNames.join(', ')}, or its dotted number`
      issues.push({ code: 'custom', input: value, path: [field, index], message, params: { hint } })
    }
  }
}

/** Without what is undefined: with `exactOptionalPropertyTypes` nothing is not the same as undefined. */
function defined<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}

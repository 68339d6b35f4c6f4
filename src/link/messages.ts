/**
 * What a hub and a gate on another machine say to each other, as it is read: whatever comes is parsed here into types, or refused.
 * The hub trusts no gate with its own health: each text has a longest length, each list a longest count, each word a closed list.
 */
import { z } from 'zod'
import { HubError } from '../core/errors.ts'
import { type FailureName, isFailureName } from '../core/failure/catalogue.ts'
import type { Stage } from '../core/failure/failure.ts'
import { type IdentityId, isIdentityId } from '../core/identity/id.ts'
import { limits } from '../core/limits.ts'
import { actions } from '../core/policy/rights.ts'
import type { ClaimedUse } from '../hub/confirm-claimed-use.ts'
import type { NewAttempt } from '../hub/ports/attempts.ts'
import type { GateFigures } from '../hub/ports/figures.ts'
import type { SessionEnd } from '../hub/ports/observer.ts'
import type { UpstreamAbilities } from '../hub/ports/upstream.ts'
import type { ShadowDifference } from '../hub/shadow-differences.ts'
import { linkLimits } from './limits.ts'

/** The protocols of a gate link, as ALPN names them (RFC 7301). The number is that of the form of what is said. */
export const linkProtocols = { control: 'handfast-gate/1', broker: 'handfast-broker/1' } as const

/** Nothing that a database or a log could stumble over, at most so many UTF-16 code units. */
const text = (charsMax: number) =>
  z
    .string()
    .max(charsMax)
    .refine((value) => value.isWellFormed() && !value.includes('\u0000'))
/** What is left of a text, whatever strangers have written in it, that the other end takes for one. */
export function fitted(value: string, charsMax: number = linkLimits.textCharsMax): string {
  return value.slice(0, charsMax).toWellFormed().replaceAll('\u0000', '\ufffd')
}

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
const fingerprint = z.string().regex(/^[0-9a-f]{64}$/)
const timeMs = z.number().int().min(0).max(8.64e15)
const timeSec = z.number().int().min(-8.64e12).max(8.64e12)
const failureName = z.string().refine((value): value is FailureName => isFailureName(value))
const identityId = z.string().refine((value): value is IdentityId => isIdentityId(value))
const stages = [
  ...(['dns', 'tcp', 'tls', 'certificate', 'identity', 'policy', 'mqtt'] as const),
  ...(['session', 'enrolment', 'api', 'hub'] as const),
] satisfies readonly Stage[]
const name = text(limits.listenerNameCharsMax).min(1)
const summaryText = text(linkLimits.textCharsMax)

const certificateSummary = z.object({
  fingerprint,
  serialNumber: summaryText,
  subject: summaryText,
  issuer: summaryText,
  notBeforeSec: timeSec,
  notAfterSec: timeSec,
})

const attempt = z.object({
  atMs: timeMs,
  listener: name,
  address: summaryText,
  stage: z.enum(stages),
  outcome: z.enum(['admitted', 'refused']),
  code: failureName.nullable(),
  sentence: summaryText,
  identityId: identityId.nullable(),
  clientId: text(limits.clientIdBytesMax).nullable(),
  tlsVersion: text(16).nullable(),
  mqttVersion: z.enum(['3.1', '3.1.1', '5']).nullable(),
  certificate: certificateSummary.nullable(),
}) satisfies z.ZodType<NewAttempt>

const sessionEnd = z
  .string()
  .refine((value): value is SessionEnd => value === 'client-disconnect' || isFailureName(value))

const shadowText = text(limits.shadowTextCharsMax)

const shadowDifference = z.object({
  version: count,
  active: count.nullable(),
  identity: identityId,
  action: z.enum(actions),
  topic: shadowText,
  allowed: z.boolean(),
  because: shadowText,
  shadowBecause: shadowText,
  atMs: timeMs,
}) satisfies z.ZodType<ShadowDifference>

const counted = z.union([
  z.tuple([z.literal('sessionEnded'), sessionEnd]),
  z.tuple([z.literal('packetDenied'), failureName]),
  z.tuple([z.literal('shadowDiffered'), z.enum(actions), z.enum(['allow', 'deny'])]),
  z.tuple([z.literal('shadowFound'), shadowDifference]),
])

const figures = z.object({
  sessions: count,
  halfOpen: count,
  connectionsAccepted: count,
  packetsFromClients: count,
  bytesFromClients: count,
  packetsToClients: count,
  bytesToClients: count,
}) satisfies z.ZodType<GateFigures>

const claimedUse = z.object({
  identityId,
  proof: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('issued'), fingerprint }),
    z.object({ kind: z.literal('pinned'), fingerprint }),
    z.object({
      kind: z.literal('anchored'),
      anchorId: text(64),
      rule: summaryText,
      fingerprint,
      notAfterSec: timeSec,
    }),
    z.object({ kind: z.literal('password'), passwordId: text(64) }),
  ]),
}) satisfies z.ZodType<ClaimedUse>

const gateMessage = z.discriminatedUnion('kind', [
  /** The first message of a gate. */
  z.object({ kind: z.literal('hello'), version: text(32) }),
  z.object({
    kind: z.literal('told'),
    attempts: z.array(attempt).max(linkLimits.toldMax),
    counted: z.array(counted).max(linkLimits.toldMax),
  }),
  /** So long after the act, sessions of a revoked credential were closed. */
  z.object({
    kind: z.literal('revoked'),
    afterMs: count,
  }),
  /** A certificate of a trust anchor is the first to name a CRL; in DER, as base64. */
  z.object({
    kind: z.literal('crl-wanted'),
    anchorId: text(64),
    certificate: z.base64().max(linkLimits.certificateCharsMax),
  }),
  /** What it holds, and how far it has followed the events; it is also the sign that the gate is there. */
  z.object({ kind: z.literal('figures'), figures, position: count }),
  z.object({ kind: z.literal('confirm'), number: count, use: claimedUse }),
])
export type GateMessage = z.infer<typeof gateMessage>

const abilities = z.object({
  protocolVersions: z.array(z.union([z.literal(4), z.literal(5)])).max(2),
  qosMax: z.union([z.literal(0), z.literal(1), z.literal(2)]),
  retain: z.boolean(),
  sharedSubscriptions: z.boolean(),
  topicCharactersRefused: z.string().max(16).optional(),
})

const outcome = z.union([
  z.object({ admitted: z.literal(true) }),
  z.object({
    admitted: z.literal(false),
    code: failureName,
    sentence: summaryText,
    identityId: identityId.nullable(),
  }),
  z.object({ failed: failureName, message: summaryText, hint: summaryText }),
])
/** What became of a first use: written, refused, or not to be had. */
export type ClaimOutcome = z.infer<typeof outcome>

const hubMessage = z.discriminatedUnion('kind', [
  /** The answer to `hello`: the gate may work. */
  z.object({
    kind: z.literal('welcome'),
    version: text(32),
    gateId: identityId,
    /** Of the tables of the registry; a gate that knows others would read them wrong. */
    registryVersion: count,
    abilities,
  }),
  /** The connection is over, and why, as far as the gate may know. */
  z.object({ kind: z.literal('refused'), code: failureName, sentence: summaryText }),
  /** There are new events in the registry. */
  z.object({ kind: z.literal('events') }),
  z.object({ kind: z.literal('confirmed'), number: count, outcome }),
  /** The hub is there. */
  z.object({ kind: z.literal('beat') }),
])
export type HubMessage = z.infer<typeof hubMessage>

/** @throws HubError `gate-link-malformed` */
export function readGateMessage(value: unknown): GateMessage {
  return read(gateMessage, value, 'gate')
}

/** @throws HubError `gate-link-malformed` */
export function readHubMessage(value: unknown): HubMessage {
  return read(hubMessage, value, 'hub')
}

function read<T extends z.ZodType>(form: T, value: unknown, who: string): z.output<T> {
  const parsed = form.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const place = issue?.path.map(String).join('.') ?? ''
  throw new HubError('gate-link-malformed', `the ${who} said what is no message, at ${place || 'its beginning'}`)
}

/** As they travel: a set is no JSON. */
export function abilitiesText({ protocolVersions, ...rest }: UpstreamAbilities): z.infer<typeof abilities> {
  return { ...rest, protocolVersions: [...protocolVersions] }
}

export function abilitiesOf({ protocolVersions, ...rest }: z.infer<typeof abilities>): UpstreamAbilities {
  return { ...rest, protocolVersions: new Set(protocolVersions) }
}

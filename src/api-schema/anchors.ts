/** Trust anchors as the admin API takes and shows them. docs/trust-anchors.md explains them. */
import { z } from 'zod'
import { anchorStates, revocationBehaviours } from '../core/identification/anchor.ts'
import { limits } from '../core/limits.ts'
import { answerNamed, requestNamed } from './components.ts'

const time = (description: string) => z.string().meta({ format: 'date-time', description })
const anchorId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'is not lower-case letters, digits and "-", the first a letter, 32 at most')
  .meta({ description: 'as policies and listeners name it' })
const revocation = z.enum(revocationBehaviours).meta({
  description:
    'require: nobody comes in without a CRL in date or the word of a responder; prefer: who is known to be revoked stays out, and everybody else comes in; ignore: nothing of it is looked at',
})
const url = z.string().min(1).max(limits.statusUrlCharsMax)
/** In requests what is left out is nothing, or stays as it is. */
const sources = z.strictObject({
  crlUrls: z
    .array(url)
    .max(limits.anchorCrlUrlsMax)
    .meta({ description: 'addresses, http or https, that the hub fetches its CRLs from' }),
  ocspUrl: url.nullable().meta({ description: 'address of an OCSP responder that is asked about its certificates' }),
  isByCertificates: z
    .boolean()
    .meta({ description: 'whether CRLs and responders that its certificates name are asked as well' }),
  hosts: z
    .array(z.string().min(1).max(253))
    .max(limits.anchorHostsMax)
    .meta({ description: 'hosts that its certificates may name although they are on a private network' }),
})
const certificatesText = z.string().max(limits.keyFileCharsMax * 8)

export const anchorParams = z.strictObject({ anchor: anchorId })

/** POST /api/v1/anchors → 201 AnchorView */
export const addAnchorRequest = requestNamed(
  'AddAnchorRequest',
  "Somebody else's authority.",
  z.strictObject({
    id: anchorId,
    certificates: certificatesText.min(1).meta({
      description: 'PEM: the authority, and behind it in any order those above it up to the root and those below it',
    }),
    revocation: revocation.default('require'),
    sources: sources.partial().default({}),
    isUnproven: z
      .boolean()
      .default(false)
      .meta({ description: 'true to trust it at once, although nobody has proved to hold its key' }),
  }),
)
export type AddAnchorRequest = z.input<typeof addAnchorRequest>

/** POST /api/v1/anchors/{anchor}/edit → 200 AnchorView */
export const editAnchorRequest = requestNamed(
  'EditAnchorRequest',
  'What is to be otherwise; what is left out stays as it is.',
  z.strictObject({
    revocation: revocation.optional(),
    sources: sources.partial().optional(),
    below: certificatesText
      .optional()
      .meta({ description: 'PEM: all authorities below it from now on, in any order; empty for none' }),
  }),
)
export type EditAnchorRequest = z.input<typeof editAnchorRequest>

/** POST /api/v1/anchors/{anchor}/prove → 200 AnchorView */
export const proveAnchorRequest = requestNamed(
  'ProveAnchorRequest',
  'A certificate that the authority has signed for the code.',
  z.strictObject({
    certificate: z.string().min(1).max(limits.keyFileCharsMax).meta({ description: 'one certificate in PEM' }),
  }),
)

/** POST /api/v1/anchors/{anchor}/crl → 200 AnchorView */
export const giveCrlRequest = requestNamed(
  'GiveCrlRequest',
  'The latest CRL of the authority.',
  z.strictObject({
    crl: z
      .string()
      .min(1)
      .max(limits.anchorCrlBytesMax * 1.5)
      .meta({ description: 'PEM' }),
  }),
)

export const anchorView = answerNamed(
  'Anchor',
  "Somebody else's authority, whose certificates are taken where the policy has rules for them.",
  z.strictObject({
    id: z.string(),
    state: z
      .enum(anchorStates)
      .meta({ description: 'waiting: for the proof; distrusted: its certificates open nothing' }),
    isProven: z.boolean().meta({ description: 'whether it was proved that its key is held' }),
    code: z.string().nullable().meta({ description: 'what the proof must name, while it waits for it' }),
    fingerprint: z.string().meta({ description: 'SHA-256 of its certificate, lower-case hexadecimal' }),
    subject: z.string(),
    notAfter: time('last second of its certificate'),
    below: z
      .array(z.strictObject({ fingerprint: z.string(), subject: z.string(), notAfter: time('last second of it') }))
      .meta({ description: 'authorities below it that sign certificates of devices as well' }),
    revocation,
    sources,
    crl: z
      .strictObject({ thisUpdate: time('when it was made'), nextUpdate: time('when the next one is due') })
      .nullable()
      .meta({ description: 'of its CRLs the one that is due first; null where none is there' }),
    crls: z
      .array(
        z.strictObject({
          issuer: z.string().meta({ description: 'fingerprint of the authority that signed it' }),
          part: z.string().meta({ description: 'addresses by which certificates name it; empty for a whole one' }),
          thisUpdate: time('when it was made'),
          nextUpdate: time('when the next one is due'),
        }),
      )
      .meta({ description: 'the latest of each authority and part' }),
    fetches: z
      .array(
        z.strictObject({
          url: z.string(),
          isLearned: z.boolean().meta({ description: 'whether a certificate named the address, and not the operator' }),
          triedAt: time('when it was asked last').nullable(),
          dueAt: time('when it is asked next'),
          failure: z.string().nullable().meta({ description: 'why the last try failed; null where it did not' }),
        }),
      )
      .meta({ description: 'addresses that CRLs are fetched from' }),
    createdAt: time('when it was added'),
    changedAt: time('when its state changed last'),
  }),
)
export type AnchorView = z.output<typeof anchorView>

export const anchorListView = answerNamed(
  'AnchorList',
  'All trust anchors, in the order in which they were added.',
  z.strictObject({ items: z.array(anchorView) }),
)
export type AnchorListView = z.output<typeof anchorListView>

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
    'require: nobody comes in without a CRL in date; prefer: whom the latest CRL names stays out, and without one everybody comes in; ignore: CRLs are not looked at',
})

export const anchorParams = z.strictObject({ anchor: anchorId })

/** POST /api/v1/anchors → 201 AnchorView */
export const addAnchorRequest = requestNamed(
  'AddAnchorRequest',
  "Somebody else's authority.",
  z.strictObject({
    id: anchorId,
    certificates: z
      .string()
      .min(1)
      .max(limits.keyFileCharsMax * 4)
      .meta({ description: 'PEM: the authority that signs the devices, and behind it those above it up to the root' }),
    revocation: revocation.default('require'),
    isUnproven: z
      .boolean()
      .default(false)
      .meta({ description: 'true to trust it at once, although nobody has proved to hold its key' }),
  }),
)
export type AddAnchorRequest = z.input<typeof addAnchorRequest>

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
    revocation,
    crl: z
      .strictObject({ thisUpdate: time('when it was made'), nextUpdate: time('when the next one is due') })
      .nullable()
      .meta({ description: 'the latest that was given; null where none was' }),
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

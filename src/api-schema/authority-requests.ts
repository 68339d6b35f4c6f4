/** What the admin API accepts about authorities. */
import { z } from 'zod'
import { limits } from '../core/limits.ts'
import { authorityKeyTypes } from '../core/x509/authority-key.ts'
import { requestNamed } from './components.ts'

/** The hierarchy that is meant where none is named. */
const mainChain = 'main'

export const chainName = z
  .string()
  .regex(/^[a-z][a-z0-9-]*$/, 'is not the name of a chain: lower-case letters, digits and "-", a letter first')
  .max(limits.chainNameCharsMax)
  .meta({ description: 'the hierarchy: lower-case letters, digits and "-", a letter first' })

const keyType = z
  .enum(authorityKeyTypes)
  .nullable()
  .default(null)
  .meta({ description: 'of the new keys; where it is left out, that of the old ones' })

export const authorityParams = z.strictObject({
  id: z.string().meta({ description: 'id of the authority', minLength: 1, maxLength: 64 }),
})

export const chainParams = z.strictObject({ chain: chainName })

/** POST /api/v1/authorities → 201 AuthorityList */
export const createChainRequest = requestNamed(
  'CreateChainRequest',
  'A root and an issuing authority to make, beside those that there are.',
  z.strictObject({ chain: chainName, keyType: z.enum(authorityKeyTypes).default('P-256') }),
)
export type CreateChainRequest = z.input<typeof createChainRequest>

const passphrase = z
  .string()
  .min(limits.keyPassphraseCharsMin)
  .max(limits.keyPassphraseCharsMax)
  .meta({ description: 'of the exported key; it is kept nowhere', writeOnly: true })

/** POST /api/v1/authorities/:id/key/export → 200 ExportedKeyView */
export const exportKeyRequest = requestNamed(
  'ExportKeyRequest',
  'What the key of a root is to be encrypted with.',
  z.strictObject({ passphrase }),
)
export type ExportKeyRequest = z.input<typeof exportKeyRequest>

/** POST /api/v1/authorities/:id/key/remove and .../import → 200 AuthorityView */
export const keptKeyRequest = requestNamed(
  'KeptKeyRequest',
  'The key of a root as it was exported.',
  z.strictObject({
    key: z.string().min(1).max(limits.keyFileCharsMax).meta({ description: 'in PEM, encrypted', writeOnly: true }),
    passphrase,
  }),
)
export type KeptKeyRequest = z.input<typeof keptKeyRequest>

/** POST /api/v1/authority-requests → 201 AuthorityRequestView */
export const requestAuthorityRequest = requestNamed(
  'RequestAuthorityRequest',
  'An issuing authority that a root of your own is to certify.',
  z.strictObject({ chain: chainName, keyType: z.enum(authorityKeyTypes).default('P-256') }),
)
export type RequestAuthorityRequest = z.input<typeof requestAuthorityRequest>

/** POST /api/v1/authority-requests/:chain/install → 201 AuthorityList */
export const installAuthorityRequest = requestNamed(
  'InstallAuthorityRequest',
  'What the root has signed, and the root.',
  z.strictObject({
    certificate: z.string().max(limits.keyFileCharsMax).meta({ description: 'of the issuing authority, in PEM' }),
    root: z.string().max(limits.keyFileCharsMax).meta({ description: 'the root, in PEM' }),
  }),
)
export type InstallAuthorityRequest = z.input<typeof installAuthorityRequest>

/** POST /api/v1/roll-overs → 201 RollOverView */
export const beginRollOverRequest = requestNamed(
  'BeginRollOverRequest',
  'An authority to change for a new one.',
  z.strictObject({
    role: z.enum(['root', 'issuing']),
    chain: chainName.default(mainChain),
    keyType,
    isPaused: z.boolean().default(false).meta({ description: 'make everything and show nothing until it is resumed' }),
  }),
)
export type BeginRollOverRequest = z.input<typeof beginRollOverRequest>

/** POST /api/v1/roll-overs/:chain/cut → 200 RollOverView */
export const cutRollOverRequest = requestNamed(
  'CutRollOverRequest',
  'When the old root goes.',
  z.strictObject({
    sharePercent: z
      .number()
      .int()
      .min(1)
      .max(100)
      .default(98)
      .meta({ description: 'of a hundred devices, how many must be known to trust the new root' }),
    isForced: z.boolean().default(false).meta({
      description: 'now, whoever is known: devices that know only the old root do not trust the hub any more',
    }),
  }),
)
export type CutRollOverRequest = z.input<typeof cutRollOverRequest>

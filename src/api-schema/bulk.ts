/** Bulk import: what its rows are and what is answered to each. */
import { z } from 'zod'
import { identityStates } from '../core/identity/identity.ts'
import { limits } from '../core/limits.ts'
import { answerNamed, requestNamed } from './components.ts'
import { grantFields } from './grants.ts'
import { deviceAttributes, deviceGroup, deviceId, keyStorage, tokenLifetimeBounds } from './requests.ts'
import { problemView } from './views.ts'

const flag = z.stringbool({ truthy: ['true'], falsy: ['false'] }).default(false)

/** POST /api/v1/devices/import → lines of ImportLine */
export const importQuery = z.strictObject({
  dryRun: flag.meta({ description: 'changes nothing and says what would happen' }),
  tokens: flag.meta({
    description:
      'makes an enrolment token for each active device that is created, and answers with its bootstrap string',
  }),
  tokenLifetimeSec: z.coerce
    .number()
    .int()
    .min(tokenLifetimeBounds.min)
    .max(tokenLifetimeBounds.max)
    .default(tokenLifetimeBounds.default)
    .meta({ description: 'seconds that those tokens stay good' }),
})

/** One device of an import: a line of NDJSON, or what a line of CSV says. */
export const importRow = requestNamed(
  'ImportRow',
  'A device to register: one line of an import in NDJSON.',
  z.strictObject({
    id: deviceId,
    group: deviceGroup.nullable().default(null),
    attributes: deviceAttributes.default({}),
    keyStorage: keyStorage.default(null),
    ...z.strictObject(grantFields).partial().shape,
    state: z.enum(identityStates).optional().meta({
      description: 'the state it is registered in, active where nothing is said; a retired one takes its id out of use',
    }),
  }),
)
export type ImportRow = z.output<typeof importRow>

export const importResults = ['created', 'unchanged', 'conflict', 'invalid'] as const

export const importRowView = answerNamed(
  'ImportRowView',
  'What became of one row.',
  z.object({
    row: z
      .number()
      .int()
      .min(1)
      .meta({ description: 'counted from 1; the header of CSV and empty lines do not count' }),
    id: z.string().nullable().meta({ description: 'as the row gives it, null where it gives none' }),
    result: z.enum(importResults).meta({
      description: 'unchanged: a device with this id is there and says the same; conflict: it says something else',
    }),
    code: z.string().optional().meta({ description: 'of a row that was not taken: the failure' }),
    detail: z.string().optional().meta({ description: 'of such a row: what is wrong' }),
    hint: z.string().optional().meta({ description: 'of such a row: what to do next' }),
    bootstrap: z.string().optional().meta({ description: 'the bootstrap string, where tokens were asked for; secret' }),
  }),
)
export type ImportRowView = z.infer<typeof importRowView>

const rows = (description: string) => z.number().int().min(0).max(limits.importRowsMax).meta({ description })

export const importSummaryView = answerNamed(
  'ImportSummaryView',
  'The last line of an import that has come to its end.',
  z.object({
    summary: z.object({
      rows: rows('all rows'),
      created: rows('devices that were registered, or would be'),
      unchanged: rows('devices that were there and say the same'),
      conflict: rows('rows that contradict the registry or an earlier row'),
      invalid: rows('rows that are no device'),
      dryRun: z.boolean().meta({ description: 'true where nothing was changed' }),
    }),
  }),
)
export type ImportSummaryView = z.infer<typeof importSummaryView>

export const importProblemView = answerNamed(
  'ImportProblemView',
  'The last line of an import that could not go on. What stands before it holds; send the same again with the same idempotency key.',
  z.object({ problem: problemView }),
)

export const importLine = answerNamed(
  'ImportLine',
  'One line of the answer to an import: first a line for each row, in order, then one of the others.',
  z.union([importRowView, importSummaryView, importProblemView]),
)
export type ImportLine = z.infer<typeof importLine>

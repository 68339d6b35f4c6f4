/** zod's schemas as JSON Schema 2020-12, the dialect of OpenAPI 3.1. */
import { z } from 'zod'
import { answerComponents, requestComponents } from '../../api-schema/components.ts'
import { CodingError } from '../../core/errors.ts'

export type JsonSchema = Readonly<Record<string, unknown>>

const uri = (id: string): string => `#/components/schemas/${id}`

/** The schemas that have a name. */
export function namedSchemas(): Readonly<Record<string, JsonSchema>> {
  const named = {
    ...z.toJSONSchema(requestComponents, { uri, io: 'input', override: tidy }).schemas,
    ...z.toJSONSchema(answerComponents, { uri, io: 'output', override: openEnded }).schemas,
  }
  return Object.fromEntries(Object.entries(named).map(([name, schema]) => [name, withoutIdentity(schema)]))
}

/** A schema of a request; a reference where it has a name. */
export function requestSchema(schema: z.ZodType): JsonSchema {
  const id = requestComponents.get(schema)?.id
  if (id !== undefined) return { $ref: uri(id) }
  return withoutIdentity(z.toJSONSchema(schema, { io: 'input', metadata: z.globalRegistry, override: tidy }))
}

/** A reference to a named schema of an answer. */
export function answerReference(schema: z.ZodType): JsonSchema {
  const id = answerComponents.get(schema)?.id
  if (id === undefined) throw new CodingError('an answer has no name in the document')
  return { $ref: uri(id) }
}

/** The same for a schema that may belong to either side. */
export function schemaOf(schema: z.ZodType): JsonSchema {
  return answerComponents.has(schema) ? answerReference(schema) : requestSchema(schema)
}

/** The document says the dialect once, and its components are found by their place. */
function withoutIdentity({ $schema: _dialect, $id: _id, ...schema }: JsonSchema): JsonSchema {
  return schema
}

type Override = (context: { readonly jsonSchema: Record<string, unknown> }) => void

/** Bounds of what a number can be in JavaScript are no rule of ours, and names of properties are strings anyway. */
const tidy: Override = ({ jsonSchema }) => {
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
  const names = jsonSchema.propertyNames
  if (typeof names === 'object' && names !== null && Object.keys(names).join() === 'type')
    delete jsonSchema.propertyNames
}

/** An answer may get new fields: whoever reads it must not refuse them. */
const openEnded: Override = (context) => {
  tidy(context)
  if (context.jsonSchema.additionalProperties === false) delete context.jsonSchema.additionalProperties
}

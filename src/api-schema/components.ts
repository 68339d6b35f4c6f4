/** Schemas that stand in the OpenAPI document under a name of their own, and are referred to wherever they occur. */
import { z } from 'zod'

interface ComponentName extends Record<string, unknown> {
  readonly id: string
}

/** What the hub answers. */
export const answerComponents = z.registry<ComponentName>()

/** What the hub accepts. */
export const requestComponents = z.registry<ComponentName>()

/** Gives a schema of an answer its name. */
export function answerNamed<Schema extends z.ZodType>(id: string, description: string, schema: Schema): Schema {
  return named(answerComponents, id, description, schema)
}

/** Gives a schema of a request its name. */
export function requestNamed<Schema extends z.ZodType>(id: string, description: string, schema: Schema): Schema {
  return named(requestComponents, id, description, schema)
}

function named<Schema extends z.ZodType>(
  components: typeof answerComponents,
  id: string,
  description: string,
  schema: Schema,
): Schema {
  const described = schema.meta({ description })
  components.add(described, { id })
  return described
}

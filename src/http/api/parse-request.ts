/** Requests as the operations want them, or every fault of them at once. */
import type { z } from 'zod'
import type { Operation } from '../../api-schema/operation.ts'
import { type Fault, HubError, quote } from '../../core/errors.ts'

/** The parts of a request that have a schema. */
export interface RequestParts {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
}

export interface Parsed<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType> {
  readonly params: z.output<Params>
  readonly query: z.output<Query>
  readonly body: z.output<Body>
}

/** @throws HubError `request-invalid` with every fault */
export function parseRequest<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType>(
  operation: Operation<Params, Query, Body>,
  parts: RequestParts,
): Parsed<Params, Query, Body> {
  const { body } = operation
  const faults = new Faults()
  const params = faults.of('path', operation.params, parts.params)
  const query = faults.of('query', operation.query, nested(parts.query, operation.dotted))
  const content =
    body === null || body.kind === 'text'
      ? undefined
      : faults.of('body', body.schema, parts.body ?? (body.required ? undefined : {}))
  faults.throwIfAny()
  return { params, query, body: content } as Parsed<Params, Query, Body>
}

/** One value, such as a line of an import. @throws HubError `request-invalid` with every fault */
export function parseValue<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const faults = new Faults()
  const parsed = faults.of('body', schema, value)
  faults.throwIfAny()
  return parsed as z.output<Schema>
}

/** `{ 'attr.site': 'x' }` as `{ attr: { site: 'x' } }`, for the names that are written so. */
function nested(query: unknown, dotted: readonly string[]): unknown {
  if (dotted.length === 0 || typeof query !== 'object' || query === null) return query
  const result: Record<string, unknown> = Object.create(null)
  const objects = new Map<string, Record<string, unknown>>()
  for (const [key, value] of Object.entries(query)) {
    const [name = '', ...rest] = key.split('.')
    if (rest.length === 0 || !dotted.includes(name)) {
      result[key] = value
      continue
    }
    const object = objects.get(name) ?? Object.create(null)
    object[rest.join('.')] = value
    objects.set(name, object)
  }
  return { ...result, ...Object.fromEntries(objects) }
}

class Faults {
  readonly #faults: Fault[] = []
  readonly #sentences: string[] = []
  #hint: string | undefined

  of(part: Fault['in'], schema: z.ZodType, value: unknown): unknown {
    for (const path of prototypesIn(value)) this.#put(part, path, 'is not known', ' ')
    const result = schema.safeParse(value, { error: sentenceOf })
    if (result.success) return result.data
    for (const issue of result.error.issues) this.#add(part, issue)
    return undefined
  }

  throwIfAny(): void {
    if (this.#faults.length === 0) return
    const hint = this.#faults.length === 1 ? this.#hint : undefined
    throw new HubError('request-invalid', this.#sentences.join('; '), {
      faults: this.#faults,
      ...(hint === undefined ? {} : { hint }),
    })
  }

  #add(part: Fault['in'], issue: z.core.$ZodIssue): void {
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) this.#put(part, [...issue.path, key], 'is not known', ' ')
      return
    }
    if (issue.code === 'custom') {
      const hint: unknown = issue.params?.hint
      if (typeof hint === 'string') this.#hint = hint
      this.#put(part, issue.path, issue.message, ': ')
      return
    }
    this.#put(part, issue.path, issue.message, ' ')
  }

  #put(part: Fault['in'], path: readonly PropertyKey[], message: string, between: string): void {
    const steps = path.map(String)
    this.#faults.push({ in: part, pointer: steps.map((step) => `/${escaped(step)}`).join(''), message })
    this.#sentences.push(`${steps.length === 0 ? `the ${part}` : quote(steps.join('.'))}${between}${message}`)
  }
}

/** Where `__proto__` names a field. Schemas pass over it in silence, because it is no field to JavaScript. */
function prototypesIn(value: unknown): readonly (readonly string[])[] {
  if (!isObject(value)) return []
  const inside = Object.entries(value).filter(([, each]) => isObject(each) && Object.hasOwn(each, '__proto__'))
  const paths = inside.map(([name]) => [name, '__proto__'])
  return Object.hasOwn(value, '__proto__') ? [['__proto__'], ...paths] : paths
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** A step of a JSON Pointer (RFC 6901 §3). */
function escaped(step: string): string {
  return step.replaceAll('~', '~0').replaceAll('/', '~1')
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
}

/** What is wrong, to stand behind the name of the field. */
function sentenceOf(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is required' : `is not ${typeWords[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return `is not one of ${issue.values.map(String).join(', ')}`
    case 'too_small':
      return issue.origin === 'string' ? `is shorter than ${issue.minimum} characters` : `is less than ${issue.minimum}`
    case 'too_big':
      return issue.origin === 'string' ? `is longer than ${issue.maximum} characters` : `is more than ${issue.maximum}`
    case 'invalid_format':
      return 'is not well formed'
    default:
      return undefined
  }
}

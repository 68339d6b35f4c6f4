/** The OpenAPI 3.1 document of a hub, made from the operations that its routes are made from. */
import type { z } from 'zod'
import type { AnswerContent, JsonContent, Operation, Permission, TextContent } from '../../api-schema/operation.ts'
import { apiOperations, enrolmentOperations } from '../../api-schema/operations.ts'
import { acts } from '../../core/authorisation/act.ts'
import { limits } from '../../core/limits.ts'
import { refusals } from './refusals.ts'
import { answerReference, type JsonSchema, namedSchemas, requestSchema, schemaOf } from './schemas.ts'

/** Where the hub is served. */
export interface DocumentPlaces {
  /** Of Handfast. */
  readonly version: string
  /** Origin of the admin API, or "/" where only the unix socket serves it. */
  readonly apiUrl: string
  /** Origin of the EST listener. */
  readonly estUrl: string
}

/** @returns the document as a JSON value; OpenAPI 3.1.1, https://spec.openapis.org/oas/v3.1.1 */
export function openApiDocument({ version, apiUrl, estUrl }: DocumentPlaces): JsonSchema {
  return {
    openapi: '3.1.1',
    info: {
      title: 'Handfast',
      version,
      summary: 'A self-hosted device identity hub for MQTT fleets.',
      description: introduction,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: apiUrl }],
    security: [{ apiKey: [] }, { clientCertificate: [] }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths: {
      ...pathsOf(apiOperations, {}),
      ...pathsOf(enrolmentOperations, { servers: [{ url: estUrl, description: 'the EST listener' }] }),
    },
    components: {
      securitySchemes: {
        apiKey: {
          type: 'http',
          scheme: 'bearer',
          description:
            'An API key, with a role; the first one is in the data directory, admin.key. Where a request carries one, it alone says who asks.',
        },
        clientCertificate: {
          type: 'mutualTLS',
          description: 'The certificate of a person with a role. It is judged anew at each request.',
        },
        enrolmentToken: {
          type: 'http',
          scheme: 'basic',
          description: 'User name: the id of the device. Password: its enrolment token.',
        },
        deviceCertificate: {
          type: 'mutualTLS',
          description: 'A certificate that this hub has issued, shown in the TLS handshake.',
        },
      },
      parameters: headerParameters,
      headers: answerHeaders,
      schemas: namedSchemas(),
    },
  }
}

const introduction = `Everything the command line does, it does through this API.

A refusal is a problem (RFC 9457) with a stable \`code\`; any address answers \`method-not-allowed\` to a method that it does not have. Lists are pages: \`next\` of one is \`after\` of the next. Whatever acts takes an \`Idempotency-Key\`, so that a request can be sent again after its answer was lost. Readers pass over fields that they do not know.

Who asks has roles, and each operation says with \`x-roles\` which of them allow it; \`x-within-groups\` stands where an owner or a requester reaches only what is in its groups. What is somebody else's is answered as if it were not there.`

const tags: Readonly<Record<Operation['tag'], string>> = {
  devices: 'The registry of devices.',
  services: 'Brokers and other servers, whose certificates operators order.',
  users: 'People with phones and laptops, whose certificates operators order.',
  policy: 'Who may do what with which topics: versions of the policy, and questions to it.',
  certificates: 'Certificates: ordering one, and all that were issued.',
  authorities: 'Authorities, and how one takes the place of another.',
  access: 'Who may use the API: keys, roles of people, and oneself.',
  records: 'What the hub has recorded.',
  hub: 'The hub itself.',
  enrolment:
    'What a device does with its token. These are served by the EST listener, at the address that stands beside them.',
  verifiers:
    'What servers of somebody’s own ask about the certificates that they are shown. These are served by the EST listener too, to certificates of the profile `verifier`.',
}

const headerParameters: Readonly<Record<string, JsonSchema>> = {
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description: `Names this request: visible ASCII, made anew for each. The same key with the same request gets the same answer for ${limits.answersKeptSec / 3_600} hours, and the act is done once; with another request it is refused.`,
    schema: { type: 'string', minLength: 1, maxLength: limits.idempotencyKeyCharsMax, pattern: '^[!-~]+$' },
    example: '6f1c2e0a-3b3d-4a57-9c53-0a3f5f6f2b11',
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    required: true,
    description: 'The ETag of the version that the edit was made from, or `*` for any.',
    schema: { type: 'string' },
    example: '"1"',
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description: 'The ETag of what is known already: where it is still so, the answer is 304 without a body.',
    schema: { type: 'string' },
  },
}

const answerHeaders: Readonly<Record<string, JsonSchema>> = {
  ETag: { description: 'Names this version.', schema: { type: 'string' }, example: '"1"' },
  IdempotencyReplayed: {
    description: '`true` where this answer was given before to the same request.',
    schema: { type: 'string', const: 'true' },
  },
}

function pathsOf(operations: readonly Operation[], common: JsonSchema): JsonSchema {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const operation of operations) {
    const item = paths[operation.path] ?? { ...common }
    item[operation.method.toLowerCase()] = operationObject(operation)
    paths[operation.path] = item
  }
  return paths
}

function operationObject(operation: Operation): JsonSchema {
  const { id, tag, summary, description, permission, body } = operation
  return {
    operationId: id,
    tags: [tag],
    summary,
    description,
    ...whoMay(operation),
    ...(permission === 'key' ? {} : { security: securityOf[permission] }),
    parameters: parametersOf(operation),
    ...(body === null
      ? {}
      : { requestBody: { required: body.kind === 'text' || body.required, content: requestContent(body) } }),
    responses: { ...successOf(operation), ...refusals(operation) },
  }
}

const securityOf: Readonly<Record<Exclude<Permission, 'key'>, readonly JsonSchema[]>> = {
  anybody: [],
  token: [{ enrolmentToken: [] }],
  certificate: [{ deviceCertificate: [] }],
}

/** The act, and the roles that allow it, for whoever makes a client for one role. */
function whoMay({ act }: Operation): JsonSchema {
  if (act === null) return {}
  const { subject, roles } = acts[act]
  const words = ['admin', ...roles.map((role) => (role === 'registering' ? 'requester with mayRegister' : role))]
  return { 'x-act': act, 'x-roles': words, ...(subject === 'hub' ? {} : { 'x-within-groups': true }) }
}

function parametersOf({ method, params, query, dotted, keyed, conditional, tagged }: Operation): readonly JsonSchema[] {
  const header = (name: string): JsonSchema => ({ $ref: `#/components/parameters/${name}` })
  return [
    ...fieldsOf(params).map(({ name, schema }) => ({ name, in: 'path', required: true, ...described(schema) })),
    ...fieldsOf(query).map(({ name, schema, required }) =>
      dotted.includes(name) ? dottedParameter(name, schema) : { name, in: 'query', required, ...described(schema) },
    ),
    ...(keyed ? [header('IdempotencyKey')] : []),
    ...(conditional ? [header('IfMatch')] : []),
    ...(tagged && method === 'GET' ? [header('IfNoneMatch')] : []),
  ]
}

interface Field {
  readonly name: string
  readonly schema: JsonSchema
  readonly required: boolean
}

function fieldsOf(schema: z.ZodType): readonly Field[] {
  const { properties = {}, required = [] } = requestSchema(schema) as {
    readonly properties?: Readonly<Record<string, JsonSchema>>
    readonly required?: readonly string[]
  }
  return Object.entries(properties).map(([name, field]) => ({ name, schema: field, required: required.includes(name) }))
}

/** The description of a parameter stands beside its schema. */
function described({ description, ...schema }: JsonSchema): JsonSchema {
  return { ...(description === undefined ? {} : { description }), schema }
}

/** An object whose fields are parameters of their own, each with the name of the object and a dot in front. */
function dottedParameter(name: string, { description, propertyNames, additionalProperties }: JsonSchema): JsonSchema {
  const pattern = String((propertyNames as JsonSchema).pattern).replace(/^\^/, `^${name}\\.`)
  return {
    name,
    in: 'query',
    description,
    style: 'form',
    explode: true,
    schema: { type: 'object', propertyNames: { pattern }, additionalProperties },
    example: { [`${name}.site`]: 'hall-2' },
  }
}

function requestContent(body: JsonContent<z.ZodType> | TextContent): JsonSchema {
  if (body.kind === 'text') return textContent(body)
  const media = { schema: requestSchema(body.schema), example: body.example }
  return Object.fromEntries(body.types.map((type) => [type, media]))
}

function textContent({ types, line }: TextContent): JsonSchema {
  const content = Object.entries(types).map(([type, { description, example }]) => {
    const isJson = type === 'application/json'
    const note = line === undefined || type !== 'application/x-ndjson' ? {} : { 'x-line-schema': schemaOf(line) }
    const schema = isJson ? { type: 'object', description } : { type: 'string', description, ...note }
    return [type, { schema, example: isJson ? JSON.parse(example) : example }]
  })
  return Object.fromEntries(content)
}

function successOf({ method, answer, keyed, tagged }: Operation): JsonSchema {
  const header = (name: string): JsonSchema => ({ $ref: `#/components/headers/${name}` })
  const headers = {
    ...(tagged ? { ETag: header('ETag') } : {}),
    ...(keyed ? { 'Idempotency-Replayed': header('IdempotencyReplayed') } : {}),
  }
  return {
    [answer.status]: {
      description: answer.description,
      ...(Object.keys(headers).length === 0 ? {} : { headers }),
      content: answerContent(answer),
    },
    ...(tagged && method === 'GET'
      ? { 304: { description: 'It is still what the ETag names.', headers: { ETag: header('ETag') } } }
      : {}),
  }
}

function answerContent(answer: AnswerContent<z.ZodType>): JsonSchema {
  if (answer.kind === 'text') return textContent(answer)
  return { 'application/json': { schema: answerReference(answer.schema), example: answer.example } }
}

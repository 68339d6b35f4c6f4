/** The OpenAPI document: valid by other people's schema, whole, and the same as the routes. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { FastifyInstance } from 'fastify'
import { failureNames } from '../../src/core/failure/catalogue.ts'
import { estServer } from '../../src/http/est/est-server.ts'
import { addVerifierRoutes } from '../../src/http/verifier/verifier-routes.ts'
import { registryAdmission, verifierAdmission } from '../../src/hub/admit.ts'
import { FailureLimiter } from '../../src/hub/failure-limiter.ts'
import { ownAttempts } from '../../src/hub/own-attempts.ts'
import { profileNamed } from '../../src/hub/profiles.ts'
import { registryRenewal } from '../../src/hub/renew.ts'
import { noteRoots } from '../../src/hub/roll-over/acknowledge.ts'
import { currentServerCertificate } from '../../src/hub/server-certificate.ts'
import { VerifierChanges } from '../../src/hub/verifiers/changes.ts'
import { apiParts } from './api-parts.ts'

/** As much of the document as the tests look at. */
interface Media {
  readonly schema: object
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>
}
interface OperationObject {
  readonly operationId: string
  readonly summary: string
  readonly description: string
  readonly security?: readonly object[]
  readonly 'x-roles'?: readonly string[]
  readonly parameters: readonly { readonly $ref?: string; readonly name?: string; readonly in?: string }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> }
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Media>> }>>
}
interface Document {
  readonly openapi: string
  readonly servers: readonly { readonly url: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

async function fetched(app: FastifyInstance): Promise<Document> {
  const answer = await app.inject('/api/openapi.json')
  assert.equal(answer.statusCode, 200, answer.body)
  return answer.json()
}

const methods = ['get', 'post', 'patch'] as const

/** Every operation with its place. */
function operationsOf({ paths }: Document): readonly { path: string; method: string; operation: OperationObject }[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const operation = item[method]
      return operation === undefined ? [] : [{ path, method, operation }]
    }),
  )
}

/** Every media object with the JSON pointer to it. */
function mediaOf(document: Document): readonly { pointer: string; media: Media }[] {
  return operationsOf(document).flatMap(({ path, method, operation }) => {
    const place = `#/paths/${pointerStep(path)}/${method}`
    const contents = [
      { at: `${place}/requestBody`, content: operation.requestBody?.content },
      ...Object.entries(operation.responses).map(([status, { content }]) => ({
        at: `${place}/responses/${status}`,
        content,
      })),
    ]
    return contents.flatMap(({ at, content }) =>
      Object.entries(content ?? {}).map(([type, media]) => ({ pointer: `${at}/content/${pointerStep(type)}`, media })),
    )
  })
}

function pointerStep(text: string): string {
  return encodeURIComponent(text.replaceAll('~', '~0').replaceAll('/', '~1'))
}

/** `GET /api/v1/devices/{id}` of every route of a Fastify application. */
function routesOf(app: FastifyInstance): readonly string[] {
  const stack: string[] = []
  const routes: string[] = []
  for (const line of app.printRoutes({ commonPrefix: false }).split('\n')) {
    const match = /^([│ ├└─]*)(\S+) \(([A-Z, ]+)\)$/.exec(line) ?? /^([│ ├└─]*)(\S+)$/.exec(line)
    if (match === null) continue
    const [, indent = '', part = '', verbs = ''] = match
    stack.length = indent.length / 4 - 1
    stack.push(part)
    for (const verb of verbs.split(', ').filter((each) => each !== '' && each !== 'HEAD')) {
      routes.push(`${verb} ${stack.join('').replaceAll(/:(\w+)/g, '{$1}')}`)
    }
  }
  return routes.sort()
}

describe('the OpenAPI document', () => {
  test('is valid OpenAPI 3.1', async (t) => {
    const document = await fetched((await apiParts(t)).app)
    assert.match(document.openapi, /^3\.1\./)
    const { valid, errors } = await new Validator().validate({ ...document })
    assert.ok(valid, JSON.stringify(errors, null, 1))
  })

  test('is for anybody, and says nothing of what the hub holds', async (t) => {
    const api = await apiParts(t)
    const answer = await api.app.inject('/api/openapi.json')
    assert.match(String(answer.headers['content-type']), /^application\/json/)
    for (const secret of [api.hub.authorities.root().fingerprint, api.hub.issuing.id, api.key]) {
      assert.ok(!answer.body.includes(secret))
    }
    const again = await api.app.inject({
      url: '/api/openapi.json',
      headers: { 'if-none-match': String(answer.headers.etag) },
    })
    assert.deepEqual([again.statusCode, again.body], [304, ''])
  })

  test('names every route of the API and of EST, and no other', async (t) => {
    const { app, hub } = await apiParts(t)
    const document = await fetched(app)
    const est = estServer({
      hub,
      caCertificates: () => hub.authorities.caCertificates(),
      renewal: registryRenewal({ ...hub, attempts: { record() {} } }),
      ownAttempts: (shown, onKnown) => ownAttempts(hub, registryAdmission(hub), shown, onKnown),
      rootsKept: { noteRoots: (id, roots) => noteRoots(hub, id, roots) },
      profileNamed: (name) => profileNamed(hub.store, name),
      limiter: new FailureLimiter(hub.clock),
      attempts: { record: () => {} },
      log: hub.log,
      tls: await currentServerCertificate(hub, { dnsNames: ['localhost'], ipAddresses: [] }),
    })
    t.after(() => est.close())
    const changes = new VerifierChanges('epoch')
    const limiter = new FailureLimiter(hub.clock)
    addVerifierRoutes(est, { hub, admission: verifierAdmission(hub), changes, attempts: { record() {} }, limiter })
    const documented = operationsOf(document).map(({ path, method }) => `${method.toUpperCase()} ${path}`)
    const served = [...routesOf(app), ...routesOf(est)]
    assert.ok(served.length > 10, `found ${served.length} routes`)
    assert.deepEqual(documented.sort(), served.sort())
  })

  test('leads to the API and, for enrolment, to the EST listener', async (t) => {
    const document = await fetched((await apiParts(t)).app)
    assert.deepEqual(document.servers, [{ url: 'https://hub.plant.example:9443' }])
    for (const [path, item] of Object.entries(document.paths)) {
      const servers = (item as { servers?: readonly { url: string }[] }).servers?.map(({ url }) => url)
      const isEst = ['/.well-known/est/', '/device/', '/verifier/'].some((place) => path.startsWith(place))
      assert.deepEqual(servers, isEst ? ['https://hub.plant.example:8443'] : undefined, path)
    }
  })

  test('says of each operation what it does, what it answers and every way to refuse it', async (t) => {
    const document = await fetched((await apiParts(t)).app)
    const ids = new Set<string>()
    for (const { path, method, operation } of operationsOf(document)) {
      const { operationId, summary, description, responses, requestBody, parameters } = operation
      assert.match(operationId, /^[a-z][A-Za-z]+$/)
      assert.ok(!ids.has(operationId), operationId)
      ids.add(operationId)
      assert.ok(summary.length > 5 && description.length > 20, operationId)
      const inPath = parameters.filter((each) => each.in === 'path').map(({ name }) => name)
      assert.deepEqual(
        inPath,
        [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name),
        operationId,
      )
      const statuses = Object.keys(responses)
      assert.ok(
        statuses.some((status) => status === '200' || status === '201'),
        operationId,
      )
      assert.ok(statuses.includes('500'), operationId)
      // Showing the certificate is all that a confirmation says.
      const asks = method !== 'get' && operationId !== 'confirmCertificate' && operationId !== 'noteRoots'
      assert.equal(asks, requestBody !== undefined, operationId)
      const isOurs = path.startsWith('/api/v1/')
      assert.equal(isOurs, operation.security === undefined, `${operationId} is for whoever has a key`)
      assert.equal(operation['x-roles']?.[0], isOurs ? 'admin' : undefined, operationId)
      if (isOurs) assert.ok(statuses.includes('401'), operationId)
      const keyed = parameters.some(({ $ref }) => $ref === '#/components/parameters/IdempotencyKey')
      // Looking at a policy file is no act, however long the file is.
      assert.equal(keyed, isOurs && method !== 'get' && operationId !== 'checkPolicy', `${operationId} acts`)
    }
  })

  test('shows examples that its own schemas accept, of every body and every problem', async (t) => {
    const document = await fetched((await apiParts(t)).app)
    const ajv = new Ajv2020({ strict: false, validateFormats: false })
    ajv.addSchema(document, 'https://hub.example/openapi.json')
    const media = mediaOf(document)
    assert.ok(media.length > 50, `found ${media.length}`)
    // Many have one schema, and each takes a while to compile.
    const compiled = new Map<string, ReturnType<typeof ajv.compile>>()
    for (const {
      pointer,
      media: { example, examples, schema },
    } of media) {
      const text = JSON.stringify(schema)
      const validate = compiled.get(text) ?? ajv.compile({ $ref: `https://hub.example/openapi.json${pointer}/schema` })
      compiled.set(text, validate)
      const values = examples === undefined ? [example] : Object.values(examples).map(({ value }) => value)
      assert.ok(values.length > 0 && !values.includes(undefined), `${pointer} has no example`)
      for (const value of values) assert.ok(validate(value), `${pointer}: ${JSON.stringify(validate.errors)}`)
    }
  })

  test('refuses by codes that exist, each at the status it has', async (t) => {
    const document = await fetched((await apiParts(t)).app)
    for (const { operation } of operationsOf(document)) {
      for (const [status, { content }] of Object.entries(operation.responses)) {
        if (Number(status) < 400) continue
        const examples = content?.['application/problem+json']?.examples ?? {}
        assert.ok(Object.keys(examples).length > 0, `${operation.operationId} ${status}`)
        for (const [code, { value }] of Object.entries(examples)) {
          assert.ok((failureNames as readonly string[]).includes(code), code)
          assert.deepEqual(
            [(value as { status: number }).status, (value as { code: string }).code],
            [Number(status), code],
          )
        }
      }
    }
  })

  test('gives every answer a name instead of a copy', async (t) => {
    const document = await fetched((await apiParts(t)).app)
    const texts = Object.values(document.components.schemas).map((schema) => JSON.stringify(schema))
    assert.equal(new Set(texts).size, texts.length)
    for (const { pointer, media } of mediaOf(document)) {
      if (!pointer.endsWith(pointerStep('application/json')) || pointer.includes('openapi.json')) continue
      assert.deepEqual(Object.keys(media.schema), ['$ref'], pointer)
    }
    const whole = JSON.stringify(document)
    for (const name of Object.keys(document.components.schemas)) {
      assert.ok(whole.includes(`"#/components/schemas/${name}"`), `nothing refers to ${name}`)
    }
  })
})

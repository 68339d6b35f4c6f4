/** Failures on the HTTP wire: RFC 9457 problems with our code, its number, the next action and the fields at fault. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ProblemView } from '../api-schema/views.ts'
import { HubError, quote } from '../core/errors.ts'
import { failure, toldToClient } from '../core/failure/catalogue.ts'
import { wireForms } from '../core/failure/wire-forms.ts'
import type { Log } from '../hub/ports/log.ts'
import { instanceOf } from './request-id.ts'

/** How much the reader of a problem may know: an operator everything, a device what it has proved. */
export type Reader = 'operator' | 'device'

/** @param requestId names the request, here and in the log */
export function problemOf(error: HubError, reader: Reader, requestId: string): ProblemView {
  const { id, kind, told, cause } = failure(error.code)
  const word = told === 'revoked' || told === 'disabled'
  return {
    type: `urn:handfast:failure:${error.code}`,
    title: word && reader === 'device' ? toldToClient(error.code) : cause,
    status: wireForms[kind].http,
    detail: reader === 'operator' || told === 'cause' ? error.message : word ? toldToClient(error.code) : cause,
    code: error.code,
    failureId: id,
    hint: word && reader === 'device' ? 'ask the operator of this hub' : error.hint,
    instance: instanceOf(requestId),
    ...(reader === 'operator' && error.faults.length > 0 ? { faults: [...error.faults] } : {}),
  }
}

/** How to authenticate, which every 401 says (RFC 9110 §15.5.2). */
const challenges: Readonly<Record<Reader, string>> = {
  operator: 'Bearer realm="handfast"',
  device: 'Basic realm="handfast", charset="UTF-8"',
}

/** The media type of a problem. */
export const problemType = 'application/problem+json'

/** Answers a request that went wrong before it came to a route, such as one with a malformed path. */
export function problemAnswer(reader: Reader, log: Log) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    sendProblem(reply, hubErrorOf(error, request, log), reader)
  }
}

/** Turns whatever a handler throws into a problem; what is not a `HubError` is logged and shown as `internal`. */
export function answerWithProblems(app: FastifyInstance, reader: Reader, log: Log): void {
  const methodsAt = rememberMethods(app)
  app.setErrorHandler((error: unknown, request, reply) => sendProblem(reply, hubErrorOf(error, request, log), reader))
  app.setNotFoundHandler((request, reply) => {
    const place = request.url.slice(0, 200)
    const allowed = methodsAt(request.url)
    if (allowed.length === 0) {
      return sendProblem(reply, new HubError('not-found', `there is nothing at ${request.method} ${place}`), reader)
    }
    const said = `${request.method} is not for ${place}, which takes ${allowed.join(', ')}`
    return sendProblem(reply.header('Allow', allowed.join(', ')), new HubError('method-not-allowed', said), reader)
  })
}

/** Which methods the routes at an address have (RFC 9110 §15.5.6 wants them in the answer to any other). */
function rememberMethods(app: FastifyInstance): (url: string) => readonly string[] {
  const routes: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    const pattern = new RegExp(`^${url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:\w+/g, '[^/]+')}$`)
    routes.push({ pattern, methods: [method].flat() })
  })
  return (url) => {
    const [path = ''] = url.split('?')
    const there = routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods)
    return [...new Set(there)].sort()
  }
}

/** Answers with a problem. */
export function sendProblem(reply: FastifyReply, error: HubError, reader: Reader): FastifyReply {
  const problem = problemOf(error, reader, reply.request.id)
  if (problem.status === 401) reply.header('WWW-Authenticate', challenges[reader])
  if (problem.status === 202 || problem.status === 429 || problem.status === 503)
    reply.header('Retry-After', `${error.retryAfterSec ?? 60}`)
  return reply
    .code(problem.status)
    .header('Content-Type', problemType)
    .header('Cache-Control', 'no-store')
    .send(JSON.stringify(problem))
}

/** What was thrown, as a failure of ours. What is none is logged, and nobody outside hears of it. */
export function hubErrorOf(error: unknown, request: FastifyRequest, log: Log): HubError {
  if (error instanceof HubError) {
    if (error.cause !== undefined)
      log.warn('a request failed', { code: error.code, request: request.id, error: error.cause })
    else log.debug('a request was refused', { code: error.code, request: request.id, why: error.message })
    return error
  }
  if (
    error instanceof Error &&
    'statusCode' in error &&
    typeof error.statusCode === 'number' &&
    error.statusCode < 500
  ) {
    return refusedByFramework(error, error.statusCode, request)
  }
  const { id, method, routeOptions } = request
  log.error('a request failed unexpectedly', { request: id, method, route: routeOptions.url, error })
  return new HubError('internal', 'something went wrong inside the hub')
}

/** Fastify's own refusals: a body of the wrong type, too large, or no JSON. */
function refusedByFramework(error: Error, status: number, request: FastifyRequest): HubError {
  if (status === 413) {
    const { bodyLimit } = request.routeOptions
    return new HubError('request-too-large', `the body is larger than ${bodyLimit.toLocaleString('en')} bytes`)
  }
  if (status === 415) {
    const type = request.headers['content-type']
    const said = type === undefined ? 'the body has no type' : `a body of type ${quote(type)} is not taken here`
    return new HubError('media-type-unsupported', said)
  }
  const message =
    'code' in error && error.code === 'FST_ERR_CTP_INVALID_JSON_BODY' ? 'the body is not JSON' : error.message
  const said = message.charAt(0).toLowerCase() + message.slice(1)
  const isBody = /body|json|prototype/i.test(message)
  return new HubError('request-invalid', said, {
    faults: [{ in: isBody ? 'body' : 'path', pointer: '', message: said }],
  })
}

/** Failures on the HTTP wire: RFC 9457 problems with our code, its number and the next action. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ProblemView } from '../api-schema/views.ts'
import { HubError } from '../core/errors.ts'
import { failure, toldToClient } from '../core/failure/catalogue.ts'
import { wireForms } from '../core/failure/wire-forms.ts'
import type { Log } from '../hub/ports/log.ts'

/** How much the reader of a problem may know: an operator everything, a device what it has proved. */
export type Reader = 'operator' | 'device'

export function problemOf(error: HubError, reader: Reader): ProblemView {
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
  }
}

/** How to authenticate, which every 401 says (RFC 9110 §15.5.2). */
const challenges: Readonly<Record<Reader, string>> = {
  operator: 'Bearer realm="handfast"',
  device: 'Basic realm="handfast", charset="UTF-8"',
}

/** Answers a request that went wrong before it came to a route, such as one with a malformed path. */
export function problemAnswer(reader: Reader, log: Log) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    sendProblem(reply, asHubError(error, request, log), reader)
  }
}

/** Turns whatever a handler throws into a problem; what is not a `HubError` is logged and shown as `internal`. */
export function answerWithProblems(app: FastifyInstance, reader: Reader, log: Log): void {
  app.setErrorHandler((error: unknown, request, reply) => sendProblem(reply, asHubError(error, request, log), reader))
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      new HubError('not-found', `there is nothing at ${request.method} ${request.url.slice(0, 200)}`),
      reader,
    ),
  )
}

function sendProblem(reply: FastifyReply, error: HubError, reader: Reader): FastifyReply {
  const problem = problemOf(error, reader)
  if (problem.status === 401) reply.header('WWW-Authenticate', challenges[reader])
  if (problem.status === 429 || problem.status === 503) reply.header('Retry-After', '60')
  return reply
    .code(problem.status)
    .header('Content-Type', 'application/problem+json')
    .header('Cache-Control', 'no-store')
    .send(JSON.stringify(problem))
}

function asHubError(error: unknown, request: FastifyRequest, log: Log): HubError {
  if (error instanceof HubError) {
    if (error.cause !== undefined) log.warn('a request failed', { code: error.code, error: error.cause })
    return error
  }
  // Fastify's own refusals: body too large, wrong media type, malformed JSON.
  if (
    error instanceof Error &&
    'statusCode' in error &&
    typeof error.statusCode === 'number' &&
    error.statusCode < 500
  ) {
    const code = error.statusCode === 413 ? 'request-too-large' : 'request-invalid'
    return new HubError(code, error.message.toLowerCase())
  }
  log.error('a request failed unexpectedly', { method: request.method, route: request.routeOptions.url, error })
  return new HubError('internal', 'something went wrong inside the hub')
}

/**
 * Time for a body to arrive, by route. Node has one time for all requests of a server; where one route needs a longer one,
 * that is set there, and this holds the others to theirs.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { HubError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { type Reader, sendProblem } from './problem.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Time for the body, in milliseconds; `limits.httpRequestMs` when it is left out. */
    readonly bodyMs?: number
  }
}

/** To be called before any other hook is added: whoever is refused by those must not send for ever either. */
export function limitBodyTime(app: FastifyInstance, reader: Reader, defaultMs: number = limits.httpRequestMs): void {
  app.addHook('onRequest', async (request, reply) => {
    if (!hasBody(request)) return
    const timer = setTimeout(() => endLate(request, reply, reader), request.routeOptions.config.bodyMs ?? defaultMs)
    timer.unref()
    for (const event of ['end', 'close']) request.raw.once(event, () => clearTimeout(timer))
  })
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

function endLate(request: FastifyRequest, reply: FastifyReply, reader: Reader): void {
  // Also where the answer has gone already: the rest of a body that was refused keeps the connection busy as well.
  if (reply.sent) {
    request.raw.destroy()
    return
  }
  reply.raw.once('finish', () => request.raw.destroy())
  void sendProblem(
    reply.header('Connection', 'close'),
    new HubError('request-late', 'the body did not arrive whole in time'),
    reader,
  )
}

/** One line in the log for each act of an operator. What it changed stands in the audit log; here stands that it happened. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { adminActMessage } from '../../hub/limit-log.ts'
import type { Log } from '../../hub/ports/log.ts'
import type { Callers } from './authenticate.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The id of the operation, for the log. */
    readonly operation?: string
  }
}

export function logActs(app: FastifyInstance, callers: Callers, log: Log): void {
  app.addHook('onResponse', (request, reply, done) => {
    const { operation, forAnybody } = request.routeOptions.config
    const isAct = request.method !== 'GET' && request.method !== 'HEAD' && forAnybody !== true
    if (isAct && operation !== undefined && reply.statusCode < 400) {
      log.info(adminActMessage, {
        ...{ act: operation, actor: callers.of(request).actor, subject: subjectOf(request) },
        ...{ request: request.id, replayed: reply.hasHeader('Idempotency-Replayed') },
      })
    }
    done()
  })
}

/** The id or serial number that the request names, in its path or its body. */
function subjectOf({ params, body }: FastifyRequest): string | null {
  for (const place of [params, body]) {
    if (typeof place !== 'object' || place === null) continue
    for (const name of ['id', 'serial']) {
      const value: unknown = Reflect.get(place, name)
      if (typeof value === 'string') return value
    }
  }
  return null
}

/**
 * Health over HTTP, for supervisors and load balancers: `/healthz` answers while the process lives and its event loop turns,
 * `/readyz` says whether the hub can do its work. A stranger learns only yes or no, an operator every reason.
 */
import type { FastifyInstance } from 'fastify'
import { failure } from '../core/failure/catalogue.ts'
import type { ReadinessVerdict } from '../hub/readiness.ts'

export interface HealthOptions {
  readonly readiness: { judge(): Promise<ReadinessVerdict> }
  /** Whether answers say why. */
  readonly withReasons: boolean
}

export function serveHealth(app: FastifyInstance, { readiness, withReasons }: HealthOptions): void {
  app.get('/healthz', (_request, reply) => reply.header('Cache-Control', 'no-store').send({ status: 'ok' }))

  app.get('/readyz', async (_request, reply) => {
    const { isReady, reasons } = await readiness.judge()
    const status = isReady ? 'ready' : 'not ready'
    return reply
      .code(isReady ? 200 : 503)
      .header('Cache-Control', 'no-store')
      .send(withReasons ? { status, reasons: reasons.map(reasonView) } : { status })
  })
}

function reasonView({ code, sentence }: ReadinessVerdict['reasons'][number]): Readonly<Record<string, string>> {
  const { id, cure } = failure(code)
  return { code, failureId: id, sentence, cure }
}

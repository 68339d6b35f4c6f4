/**
 * Metrics and health in full, over plain HTTP on an address of their own: nothing here is secret, and nothing here is for
 * strangers.
 */
import type { FastifyInstance } from 'fastify'
import { limits } from '../../core/limits.ts'
import type { HubFigures } from '../../hub/figures.ts'
import { keptAnswer } from '../../hub/kept-answer.ts'
import type { Clock } from '../../hub/ports/clock.ts'
import type { Log } from '../../hub/ports/log.ts'
import { type HealthOptions, serveHealth } from '../health.ts'
import { httpApp } from '../listen.ts'
import type { HubMetrics } from './hub-metrics.ts'

export interface MetricsServerOptions {
  readonly metrics: HubMetrics
  /** A look at the hub. @throws HubError `hub-starting` */
  figures(): Promise<HubFigures>
  readonly readiness: HealthOptions['readiness']
  readonly clock: Clock
  readonly log: Log
}

export function metricsServer(options: MetricsServerOptions): FastifyInstance {
  const { metrics, readiness, clock, log } = options
  const app = httpApp({ reader: 'operator', log, bodyBytesMax: limits.estBodyBytesMax })
  const text = keptAnswer(clock, limits.answerKeptMs, async () => metrics.text(await options.figures()))

  app.get('/metrics', async (_request, reply) => {
    const body = await text()
    return reply.header('Content-Type', metrics.contentType).header('Cache-Control', 'no-store').send(body)
  })
  serveHealth(app, { readiness, withReasons: true })
  return app
}

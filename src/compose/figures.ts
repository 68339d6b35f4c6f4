/** Figures and health of a hub, put together: there from the first moment of a start to the last of a stop. */
import type { HubConfig } from '../config/config.ts'
import { HubError } from '../core/errors.ts'
import { listenOn } from '../http/listen.ts'
import { HubMetrics } from '../http/metrics/hub-metrics.ts'
import { metricsServer } from '../http/metrics/metrics-server.ts'
import { figuresOf, type HubFigures, type WatchedParts } from '../hub/figures.ts'
import { isLoopback } from '../hub/peer-address.ts'
import type { Log } from '../hub/ports/log.ts'
import { type Observer, silentObserver } from '../hub/ports/observer.ts'
import { Readiness } from '../hub/readiness.ts'
import { systemClock as clock } from '../machine/system.ts'
import { version } from '../version.ts'

export interface Watch {
  /** What the parts of the hub tell their work. */
  readonly observer: Observer
  readonly readiness: Readiness
  /** Where metrics and reasons are; null where they are not asked for. */
  readonly address: { readonly host: string; readonly port: number } | null
  /** The hub serves. */
  begin(parts: Omit<WatchedParts, 'clock' | 'readiness'>): void
  close(): Promise<void>
}

/** @throws HubError `port-taken`, `address-unavailable` */
export async function openWatch({ metricsListen }: HubConfig, log: Log): Promise<Watch> {
  const readiness = new Readiness(clock, log)
  let figures = async (): Promise<HubFigures> => {
    throw new HubError('hub-starting', 'the hub does not serve yet')
  }
  const begin: Watch['begin'] = (parts) => {
    readiness.serve(parts)
    figures = figuresOf({ ...parts, clock, readiness })
  }
  if (metricsListen === null) {
    return { observer: silentObserver, readiness, address: null, begin, close: async () => {} }
  }
  const metrics = new HubMetrics(version)
  metrics.watchProcess()
  const app = metricsServer({ metrics, figures: () => figures(), readiness, clock, log })
  const address = await listenOn(app, 'metrics', metricsListen.host, metricsListen.port)
  if (!isLoopback(metricsListen.host)) {
    log.warn('metrics are open to other machines, without TLS', { host: metricsListen.host, port: address.port })
  }
  return { observer: metrics, readiness, address, begin, close: () => app.close() }
}

/** Renewing the certificate of the hub's own listeners while they serve. */
import type { Clock } from './ports/clock.ts'
import type { Log } from './ports/log.ts'
import type { Observer } from './ports/observer.ts'
import type { ServerCertificate } from './server-certificate.ts'

/** How often it is looked at whether the certificate is due. */
const lookEveryMs = 60 * 60_000

export interface ServerCertificateKeeper {
  /** Exchanges the certificate if it is due. */
  look(): Promise<void>
  /** Exchanges the certificate if there is another one to use: the one in use was revoked, say. */
  exchange(): Promise<void>
  /** The one that the listeners use. */
  inUse(): ServerCertificate
  stop(): void
}

/**
 * Asks for the current certificate when the one in use is due, and puts it to use when it has changed.
 *
 * @param listeners `current` issues a new certificate where one is due; `use` gives it to the listeners
 */
export function keepServerCertificate(
  hub: { readonly clock: Clock; readonly log: Log; readonly observer: Pick<Observer, 'renewal'> },
  first: ServerCertificate,
  listeners: { current(): Promise<ServerCertificate>; use(certificate: ServerCertificate): void },
): ServerCertificateKeeper {
  let inUse = first

  async function look(): Promise<void> {
    if (hub.clock.nowMs() / 1000 >= inUse.renewAtSec) await exchange()
  }

  async function exchange(): Promise<void> {
    try {
      const current = await listeners.current()
      if (current.chain === inUse.chain && current.forRsa?.chain === inUse.forRsa?.chain) return
      listeners.use(current)
      inUse = current
      hub.observer.renewal('server', 'renewed')
      hub.log.info('the server certificate was renewed', {
        notAfter: new Date(current.notAfterSec * 1000).toISOString(),
      })
    } catch (error) {
      hub.observer.renewal('server', 'failed')
      hub.log.error('the server certificate could not be renewed', { error })
    }
  }

  const timer = setInterval(() => void look(), lookEveryMs)
  timer.unref()
  return { look, exchange, inUse: () => inUse, stop: () => clearInterval(timer) }
}

/** The gate link of a hub: gates on other machines, the broker for them, and the first uses that they tell of. */

import { upstreamHost } from '../../gate/upstream/shared/upstream-host.ts'
import { linkAdmission } from '../../hub/admit.ts'
import { confirmClaimedUse } from '../../hub/confirm-claimed-use.ts'
import { openCurrentPolicy } from '../../hub/current-policy.ts'
import { sweepEveryMs } from '../../hub/sweep-sessions.ts'
import { type LinkServer, startLinkServer } from '../../link/link-server.ts'
import { systemClock as clock } from '../../machine/system.ts'
import { registryVersion } from '../../store/migrations.ts'
import { version } from '../../version.ts'
import type { Closing } from '../closing.ts'
import type { FleetObserver } from './gate-fleet.ts'
import type { HubGateParts } from './hub-gate.ts'
import { confirmerOver } from './open-gate.ts'

export type HubLink = Pick<LinkServer, 'address' | 'setCertificate' | 'noted' | 'gates' | 'figures'>

/** @throws HubError `port-taken`, `address-unavailable` */
export async function openHubLink(
  parts: Omit<HubGateParts, 'config' | 'observer'> & { readonly observer: FleetObserver },
  { host, port }: { readonly host: string; readonly port: number },
  closing: Closing,
): Promise<HubLink> {
  const { store, authorities, upstream, attempts, observer, log } = parts
  const policy = await openCurrentPolicy({ store, clock, log, observer })
  const broker = upstreamHost({ upstream, log })
  const uses = { store, clock, policy, confirmUse: confirmerOver({ store, authorities }) }
  const server = await startLinkServer({
    ...{ host, port, store, attempts, observer, clock, log, version, registryVersion },
    certificate: parts.certificate,
    admission: linkAdmission({ store, clock, authorities }),
    abilities: () => upstream.abilities,
    wantCrl: (anchorId, certificate) => parts.wantCrl(anchorId, certificate),
    serveBroker: (socket) => broker.serve(socket),
    confirmUse: (use) => confirmClaimedUse(uses, use),
  })
  const look = (): void => {
    server.sweep().catch((error: unknown) => log.error('the gates could not be looked at', { error }))
  }
  const timer = setInterval(look, sweepEveryMs)
  closing.add('gate link', async () => {
    clearInterval(timer)
    await server.stop()
    await broker.stop()
  })
  return {
    address: server.address,
    setCertificate: (certificate) => server.setCertificate(certificate),
    gates: () => server.gates(),
    figures: () => server.figures(),
    noted(event) {
      server.noted(event)
      if (event.type !== 'policy-activated') return
      policy.refresh().catch((error: unknown) => log.error('the policy could not be read', { error }))
    },
  }
}

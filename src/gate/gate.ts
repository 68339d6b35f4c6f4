/** The MQTT listener of the hub: TLS, admission, policy on every packet, live sessions. */
import { limits as catalogue } from '../core/limits.ts'
import { defaultRights } from '../core/policy/rights.ts'
import { serveConnection } from './connection.ts'
import { Listener } from './listener.ts'
import { LiveConnections } from './live-connections.ts'
import type { Gate, GateContext, GateLimits, GateOptions } from './options.ts'
import { knownOf, recordRefusal } from './record.ts'
import { Traffic } from './traffic.ts'

export type { AttemptRecorder, Gate, GateCertificate, GateLimits, GateOptions } from './options.ts'

/**
 * Starts a gate; it serves when this is fulfilled.
 *
 * @throws HubError `port-taken` or `address-unavailable`
 */
export async function startGate(options: GateOptions): Promise<Gate> {
  const limits: GateLimits = { ...catalogue, ...options.limits }
  const live = new LiveConnections(limits)
  const traffic = new Traffic()
  const context: GateContext = { ...options, rightsOf: options.rightsOf ?? defaultRights, limits, live, traffic }
  const listener = new Listener({
    certificate: options.certificate,
    certificateFor: (name) => options.certificateFor?.(name) ?? null,
    sessionTickets: options.sessionTickets,
    limits,
    onAccepted: () => traffic.connectionsAccepted++,
    onSecure: (sockets, address, connected) => void serveConnection(context, sockets, address, connected),
    onFailure: (address, ending) => recordRefusal(context, knownOf(address), ending),
  })
  const address = await listener.listen(options.host, options.port)
  return {
    address,
    setCertificate: (certificate) => listener.setCertificate(certificate),
    closeIdentity: (identityId, code) => live.closeIdentity(identityId, code),
    closeCredential: (fingerprint, code) => live.closeCredential(fingerprint, code),
    refreshRights: (identity) => live.refresh(identity ?? null),
    liveFingerprints: () => live.fingerprints(),
    sessionCount: () => live.sessionCount(),
    figures: () => ({ ...traffic, sessions: live.sessionCount(), halfOpen: listener.halfOpenCount() }),
    stop: async () => {
      listener.close()
      live.closeEvery('hub-stopping')
      await listener.drained(limits.drainMs)
    },
  }
}

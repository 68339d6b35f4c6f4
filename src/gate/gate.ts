/** The gate: its listeners, admission, policy on every packet, live sessions. */
import { limits as catalogue } from '../core/limits.ts'
import type { ListenerSettings } from '../core/listener/listener-settings.ts'
import { defaultRights } from '../core/policy/rights.ts'
import { noteFailure } from './connect-failures.ts'
import { serveConnection } from './connection.ts'
import { DelayedWills } from './delayed-wills.ts'
import { HalfOpen } from './half-open.ts'
import { KeptSessions } from './kept-sessions.ts'
import { Listener } from './listener.ts'
import { LiveConnections } from './live-connections.ts'
import type { Gate, GateContext, GateLimits, GateOptions, ListenerAddress } from './options.ts'
import { knownOf, recordRefusal } from './record.ts'
import { Traffic } from './traffic.ts'
import { TwoPlaces } from './two-places.ts'

export type { AttemptRecorder, Gate, GateCertificate, GateLimits, GateOptions, ListenerAddress } from './options.ts'

/**
 * Starts a gate; all its listeners serve when this is fulfilled.
 *
 * @throws HubError `port-taken` or `address-unavailable`; then none of them does
 */
export async function startGate(options: GateOptions): Promise<Gate> {
  const limits: GateLimits = { ...catalogue, ...options.limits }
  const live = new LiveConnections(limits)
  const kept = new KeptSessions()
  const wills = new DelayedWills()
  const traffic = new Traffic()
  const halfOpen = new HalfOpen<object>(limits, options.clock)
  const shared = {
    ...options,
    rightsOf: options.rightsOf ?? defaultRights,
    limits,
    live,
    kept,
    wills,
    halfOpen,
    traffic,
    places: new TwoPlaces(limits),
  }
  const listeners = options.listeners.map((settings) => openListener(settings, shared))
  const addresses = await listenAll(listeners)
  const [address] = addresses
  if (address === undefined) throw new TypeError('a gate needs a listener')
  return {
    address,
    addresses,
    setCertificate: (certificate) => each(listeners, (listener) => listener.setCertificate(certificate)),
    refreshTrust: () => each(listeners, (listener) => listener.refreshTrust()),
    closeIdentity: (identityId, code) => live.closeIdentity(identityId, code),
    closeCredential: (fingerprint, code) => live.closeCredential(fingerprint, code),
    closePassword: (passwordId, code) => live.closePassword(passwordId, code),
    livePasswords: () => live.passwords(),
    closeAnchored: (refusalOf) => live.closeAnchored(refusalOf),
    liveAnchored: () => live.anchored(),
    livePins: () => live.pinned(),
    closeEvery: (code) => live.closeEvery(code),
    refreshRights: (identity) => live.refresh(identity ?? null),
    liveFingerprints: () => live.fingerprints(),
    sessionCount: () => live.sessionCount(),
    figures: () => ({ ...traffic, sessions: live.sessionCount(), halfOpen: halfOpen.count() }),
    stop: async () => {
      each(listeners, (listener) => listener.close())
      live.closeEvery('hub-stopping')
      await Promise.all(listeners.map((listener) => listener.drained(limits.drainMs)))
    },
  }
}

type Shared = Omit<GateContext, 'listener'> & Pick<GateOptions, 'certificate'>

function openListener(settings: ListenerSettings, shared: Shared): Listener {
  const context: GateContext = { ...shared, listener: settings }
  return new Listener({
    settings,
    certificate: shared.certificate,
    certificateFor: (name) => shared.certificateFor?.(name) ?? null,
    trusted: () => shared.trustedFor?.(settings.anchors) ?? [],
    sessionTickets: shared.sessionTickets,
    sharesPort: shared.sharesPorts ?? false,
    limits: shared.limits,
    clock: shared.clock,
    halfOpen: shared.halfOpen,
    onAccepted: () => shared.traffic.connectionsAccepted++,
    onSecure: (connection) => void serveConnection(context, connection),
    onFailure: (address, ending) => {
      noteFailure(context, address, ending)
      recordRefusal(context, knownOf(address), ending)
    },
  })
}

async function listenAll(listeners: readonly Listener[]): Promise<readonly ListenerAddress[]> {
  const outcomes = await Promise.allSettled(listeners.map((listener) => listener.listen()))
  const fault = outcomes.find((outcome) => outcome.status === 'rejected')
  if (fault !== undefined) {
    each(listeners, (listener) => listener.close())
    throw fault.reason
  }
  return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
}

function each(listeners: readonly Listener[], act: (listener: Listener) => void): void {
  for (const listener of listeners) act(listener)
}

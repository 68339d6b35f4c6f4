/** The gate as the hub has it: in its own process or in several processes of their own, and on other machines. */
import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { HubConfig } from '../../config/config.ts'
import type { Gate, GateCertificate, ListenerAddress } from '../../gate/gate.ts'
import { hostUpstream } from '../../gate/upstream/shared/upstream-host.ts'
import type { Authorities } from '../../hub/authorities.ts'
import type { EventFollower } from '../../hub/follow-events.ts'
import { sumOfFigures } from '../../hub/gate-figures.ts'
import type { HubNames } from '../../hub/hub-names.ts'
import { listenerPurpose } from '../../hub/listen-failure.ts'
import type { HubEvent } from '../../hub/ports/events.ts'
import type { GateFigures } from '../../hub/ports/figures.ts'
import type { Log } from '../../hub/ports/log.ts'
import type { Observer } from '../../hub/ports/observer.ts'
import type { Store } from '../../hub/ports/store.ts'
import type { Upstream } from '../../hub/ports/upstream.ts'
import type { AttemptRecorder } from '../../hub/record-attempts.ts'
import type { ShadowListener } from '../../hub/shadow-differences.ts'
import { type DataDirectory, gateSocketPath } from '../../machine/data-directory.ts'
import { settledPort } from '../../machine/free-ports.ts'
import { systemClock as clock } from '../../machine/system.ts'
import type { Closing } from '../closing.ts'
import { registryPlace } from '../registry.ts'
import { type FleetObserver, startGateFleet } from './gate-fleet.ts'
import { type HubLink, openHubLink } from './hub-link.ts'
import { confirmerOver, openGate } from './open-gate.ts'

export interface HubGateParts {
  readonly config: HubConfig
  readonly directory: DataDirectory
  readonly names: HubNames
  readonly store: Store
  readonly authorities: Authorities
  readonly certificate: GateCertificate
  certificateFor(serverName: string): GateCertificate | null
  readonly upstream: Upstream
  readonly attempts: AttemptRecorder
  wantCrl(anchorId: string, certificate: Uint8Array): void
  readonly observer: Observer
  /** Keeps what the policy in the shadow would decide otherwise. */
  readonly differences: Required<ShadowListener>
  readonly log: Log
}

/** Gates on other machines, as the hub has them. */
type LinkedGates = Pick<HubLink, 'address' | 'gates'>

export interface HubGate extends Pick<Gate, 'setCertificate' | 'refreshTrust' | 'sessionCount' | 'figures'> {
  readonly addresses: readonly ListenerAddress[]
  /** Null where no gate may link itself. */
  readonly link: LinkedGates | null
  /** Has an event applied to what lives. */
  apply(event: HubEvent): void
  /** Has it looked now and then whether the registry still lets every connection live. */
  sweep(follower: EventFollower): void
  /** How far events are applied, where the hub itself is as far as its follower. */
  following(follower: EventFollower): EventFollower
}

/**
 * Opens it with all its listeners, and the link for gates on other machines.
 *
 * @throws HubError `port-taken`, `address-unavailable`, `gate-process-failed`
 */
export async function openHubGate(parts: HubGateParts, closing: Closing): Promise<HubGate> {
  const { gates, gateLink } = parts.config
  const gate = await (gates === 1 ? gateWithin(parts, closing) : gatesBeside(parts, closing))
  return gateLink === null
    ? { ...gate, link: null }
    : withLink(gate, await openHubLink({ ...parts, observer: observerOf(parts) }, gateLink, closing))
}

type OwnGate = Omit<HubGate, 'link'>

function withLink(gate: OwnGate, link: HubLink): HubGate {
  const figures = (): GateFigures => sumOfFigures(gate.figures(), link.figures())
  return {
    ...gate,
    link,
    setCertificate(certificate) {
      gate.setCertificate(certificate)
      link.setCertificate(certificate)
    },
    sessionCount: () => figures().sessions,
    figures,
    apply(event) {
      gate.apply(event)
      link.noted(event)
    },
  }
}

async function gateWithin(parts: HubGateParts, closing: Closing): Promise<OwnGate> {
  const { gate, apply, sweep } = await openGate({ ...parts, observer: observerOf(parts) }, closing)
  return {
    setCertificate: gate.setCertificate,
    refreshTrust: gate.refreshTrust,
    sessionCount: gate.sessionCount,
    figures: gate.figures,
    addresses: gate.addresses,
    apply(event) {
      apply(event)
      if (event.type === 'credential-revoked') {
        parts.observer.revocationApplied('gate', clock.nowMs() - event.atMs)
      }
    },
    sweep,
    following: (follower) => follower,
  }
}

async function gatesBeside(parts: HubGateParts, closing: Closing): Promise<OwnGate> {
  const { config, directory, names, store, authorities, upstream, attempts, log } = parts
  const path = await gateSocketPath(directory)
  const host = await hostUpstream({ upstream, log }, path)
  closing.add('socket of the broker', async () => {
    await host.stop()
    if (dirname(dirname(path)) !== directory.path) await rm(dirname(path), { recursive: true, force: true })
  })
  const { sessionTickets, deniedPublish, brokerUserProperties, registryGraceMinutes, tls, logLevel } = config
  const fleet = await startGateFleet({
    count: config.gates,
    settings: {
      ...{ sessionTickets, deniedPublish, brokerUserProperties, registryGraceMinutes, tls, logLevel },
      listeners: await Promise.all(
        config.listeners.map(async (listener) => ({
          ...listener,
          port: await settledPort({ ...listener, purpose: listenerPurpose(listener.name) }),
        })),
      ),
      registry: registryPlace(config, directory),
      upstream: { path, abilities: upstream.abilities },
      deviceNames: [names.publicName, ...names.formerNames],
    },
    certificate: parts.certificate,
    confirmUse: confirmerOver({ store, authorities }),
    wantCrl: (anchorId, certificate) => parts.wantCrl(anchorId, certificate),
    ...{ attempts, observer: observerOf(parts), log },
  })
  closing.add('gates', () => fleet.stop())
  log.info('gate processes serve', { pids: fleet.pids() })
  return {
    addresses: fleet.addresses,
    setCertificate: (certificate) => fleet.setCertificate(certificate),
    refreshTrust: () => fleet.refreshTrust(),
    sessionCount: () => fleet.sessionCount(),
    figures: () => fleet.figures(),
    apply: () => fleet.tellEvents(),
    // Each process looks after its own connections.
    sweep() {},
    following: (follower) => ({ ...follower, position: () => fleet.position(follower.position()) }),
  }
}

function observerOf({ observer, differences }: HubGateParts): FleetObserver {
  return {
    sessionEnded: (cause) => observer.sessionEnded(cause),
    packetDenied: (code) => observer.packetDenied(code),
    shadowDiffered: (action, would) => observer.shadowDiffered(action, would),
    revocationApplied: (follower, afterMs) => observer.revocationApplied(follower, afterMs),
    shadowFound: (difference) => differences.shadowFound(difference),
  }
}

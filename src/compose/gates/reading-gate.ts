/** A gate in a process that reads the registry and writes nothing: beside its hub, or on a machine of its own. */
import type { Authorities } from '../../hub/authorities.ts'
import { type EventFollower, followEvents } from '../../hub/follow-events.ts'
import { systemClock as clock } from '../../machine/system.ts'
import type { Closing } from '../closing.ts'
import { type GateParts, type OpenGate, openGate } from './open-gate.ts'

export interface ReadingGateParts extends GateParts {
  readonly authorities: Authorities
  readonly confirmUse: NonNullable<GateParts['confirmUse']>
  /** The number of the last event before anything else was read. */
  readonly lastEvent: number
  /** So long after the act, sessions of a revoked credential were closed. */
  onRevoked(afterMs: number): void
}

export interface ReadingGate extends OpenGate {
  readonly follower: EventFollower
}

/** @throws HubError `port-taken`, `address-unavailable` */
export async function openReadingGate(parts: ReadingGateParts, closing: Closing): Promise<ReadingGate> {
  const { store, authorities, log } = parts
  const open = await openGate(parts, closing)
  const follower = followEvents({ store, log }, parts.lastEvent, (event) => {
    open.apply(event)
    if (event.type === 'credential-revoked') parts.onRevoked(clock.nowMs() - event.atMs)
    if (event.type !== 'authority-changed') return
    authorities.refresh().catch((error: unknown) => log.error('the authorities could not be read', { error }))
    open.gate.refreshTrust()
  })
  closing.add('events', () => follower.stop())
  open.sweep(follower)
  return { ...open, follower }
}

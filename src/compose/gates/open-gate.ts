/** A gate over a registry: the same in the hub's own process and in a gate process. */
import type { HubConfig } from '../../config/config.ts'
import { type Gate, type GateCertificate, type GateOptions, startGate } from '../../gate/gate.ts'
import { registryAdmission } from '../../hub/admit.ts'
import { anchoredUses } from '../../hub/admit-anchored.ts'
import { pinnedWay } from '../../hub/admit-pinned.ts'
import type { Authorities } from '../../hub/authorities.ts'
import { openCurrentPolicy } from '../../hub/current-policy.ts'
import type { EventFollower } from '../../hub/follow-events.ts'
import { followRights } from '../../hub/follow-rights.ts'
import { type GateAdmission, gateAdmission, isFirstUse, type OtherWay } from '../../hub/gate-admission.ts'
import type { GateObserver } from '../../hub/gate-counts.ts'
import { type PasswordAdmission, passwordAdmission } from '../../hub/passwords/admission.ts'
import { GuessLimiter } from '../../hub/passwords/guessing.ts'
import { PasswordHashing } from '../../hub/passwords/hashing.ts'
import type { HubEvent } from '../../hub/ports/events.ts'
import type { Log } from '../../hub/ports/log.ts'
import type { Store } from '../../hub/ports/store.ts'
import { sweepSessions } from '../../hub/sweep-sessions.ts'
import { statusFetcher } from '../../machine/status-fetcher.ts'
import { systemClock as clock, systemRandom as random } from '../../machine/system.ts'
import type { Closing } from '../closing.ts'
import { openForeignCertificates } from '../foreign-certificates.ts'
import { closeSessions } from '../live-changes.ts'

/** Who counts what a gate tells. */
export interface GateParts extends Pick<GateOptions, 'attempts' | 'upstream' | 'certificateFor' | 'sharesPorts'> {
  readonly config: Pick<
    HubConfig,
    'listeners' | 'sessionTickets' | 'deniedPublish' | 'brokerUserProperties' | 'registryGraceMinutes'
  >
  readonly store: Store
  readonly authorities: Authorities
  readonly certificate: GateCertificate
  readonly observer: GateObserver
  readonly log: Log
  /** Has the CRLs fetched that a certificate of a trust anchor names, by whoever writes. */
  wantCrl(anchorId: string, certificate: Uint8Array): void
  /** Where this process does not write: who writes the first use of a credential. */
  readonly confirmUse?: GateAdmission['confirmUse']
}

/** A gate, and what it must be told. */
export interface OpenGate {
  readonly gate: Gate
  /** Applies an event to what lives: sessions end, rights change. */
  apply(event: HubEvent): void
  /** Looks now and then whether the registry still lets every connection live. */
  sweep(follower: EventFollower): void
}

/** @throws HubError `port-taken`, `address-unavailable` */
export async function openGate(parts: GateParts, closing: Closing): Promise<OpenGate> {
  const { config, store, log } = parts
  const policy = await openCurrentPolicy({ store, clock, log, observer: parts.observer })
  const { authorities, wantCrl } = parts
  const foreign = await openForeignCertificates({
    ...{ store, clock, log, policy, authorities, fetcher: statusFetcher },
    wantCrl: (anchorId, certificate) => wantCrl(anchorId, certificate),
  })
  const { admission, passwords } = admissionsOver(parts, foreign.ways)
  const { confirmUse } = parts
  const gate = await startGate({
    ...{ attempts: parts.attempts, observer: parts.observer, upstream: parts.upstream, clock, random, log },
    listeners: config.listeners,
    certificate: parts.certificate,
    ...(parts.certificateFor === undefined ? {} : { certificateFor: parts.certificateFor }),
    sessionTickets: config.sessionTickets,
    sharesPorts: parts.sharesPorts ?? false,
    trustedFor: (ids) => foreign.trustedFor(ids),
    rightsOf: (subject) => policy.rightsOf(subject),
    deniedPublishV3: config.deniedPublish,
    identityInMessages: config.brokerUserProperties === 'messages',
    admission: confirmUse === undefined ? admission : writingElsewhere(admission, confirmUse),
    passwords: confirmUse === undefined ? passwords : { judge: (offered) => passwords.judge(offered), confirmUse },
  })
  closing.add('gate', () => gate.stop())
  const rights = followRights({ store, policy, log }, gate)
  closing.add('rights', () => rights.stop())
  return {
    gate,
    apply(event) {
      closeSessions(gate, event)
      rights.noted(event)
      foreign.noted(event, gate)
    },
    sweep(follower) {
      const graceMs = config.registryGraceMinutes * 60_000
      const sweep = sweepSessions({ store, clock, log, foreign: foreign.living }, gate, follower, graceMs)
      closing.add('sweep', () => sweep.stop())
    },
  }
}

/**
 * Who may come in, by the registry: with a certificate, and with a password.
 *
 * @param ways of certificates that are not ours; where none are given, their uses can be written and nothing is judged by anchors
 */
export function admissionsOver(
  hub: { readonly store: Store; readonly authorities: Authorities },
  ways: readonly OtherWay[] = [pinnedWay({ ...hub, clock }), anchoredUses({ ...hub, clock })],
): {
  readonly admission: GateAdmission
  readonly passwords: PasswordAdmission
} {
  const { store, authorities } = hub
  const admission = gateAdmission(registryAdmission({ store, clock, authorities }), ways)
  const [hashing, limiter] = [new PasswordHashing(random), new GuessLimiter(clock)]
  return { admission, passwords: passwordAdmission({ store, clock, hashing, limiter }) }
}

/** Writes down the use of whatever proof somebody came with. */
export function confirmerOver(hub: Parameters<typeof admissionsOver>[0]): GateAdmission['confirmUse'] {
  const { admission, passwords } = admissionsOver(hub)
  return (entrant) => (entrant.proof.kind === 'password' ? passwords : admission).confirmUse(entrant)
}

/** Judges here, and has uses written by another process, which judges once more. */
function writingElsewhere(admission: GateAdmission, confirmUse: GateAdmission['confirmUse']): GateAdmission {
  return {
    judge: (presented) => admission.judge(presented),
    async confirmUse(entrant) {
      const { proof } = entrant
      return proof.kind === 'issued' && !isFirstUse(proof.credential) ? entrant : confirmUse(entrant)
    },
  }
}

/** A gate on a machine of its own, put together: its credential, the registry that it reads, the link to its hub, its listeners. */
import { join } from 'node:path'
import type { GateConfig } from '../../config/config.ts'
import { HubError } from '../../core/errors.ts'
import type { Bootstrap } from '../../core/identity/bootstrap.ts'
import { limits } from '../../core/limits.ts'
import type { ListenerAddress } from '../../gate/gate.ts'
import { openSharedUpstream } from '../../gate/upstream/shared/shared-upstream.ts'
import { type Authorities, openAuthorities } from '../../hub/authorities.ts'
import { confirmedEntrant } from '../../hub/confirm-claimed-use.ts'
import type { Entrant, Refusal } from '../../hub/gate-admission.ts'
import { limitLog } from '../../hub/limit-log.ts'
import { listenerPurpose } from '../../hub/listen-failure.ts'
import type { Log } from '../../hub/ports/log.ts'
import type { Store } from '../../hub/ports/store.ts'
import { GateLink } from '../../link/gate-link.ts'
import { Reports } from '../../link/reports.ts'
import { openBroughtFiles } from '../../machine/brought-files.ts'
import { prepareDataDirectory } from '../../machine/data-directory.ts'
import { assertPortsFree } from '../../machine/free-ports.ts'
import { systemClock as clock, systemRandom as random } from '../../machine/system.ts'
import { registryVersion } from '../../store/migrations.ts'
import { lockDataDirectory } from '../../store/sqlite/data-lock.ts'
import { version } from '../../version.ts'
import { Closing } from '../closing.ts'
import { openGateRegistry } from '../registry.ts'
import { openGateCredential } from './gate-credential.ts'
import { openReadingGate } from './reading-gate.ts'

export interface LoneGateOptions {
  readonly config: GateConfig
  /** From the operator; needed where the gate has no certificate yet. */
  readonly bootstrap: Bootstrap | null
  readonly log: Log
}

/** A gate that serves. */
export interface LoneGate {
  /** The service that it is. */
  readonly id: string
  readonly listeners: readonly ListenerAddress[]
  /** What its certificate calls it. */
  readonly names: readonly string[]
  /** Path of the roots of its hub. */
  readonly caPath: string
  /** Why the link does not stand yet, in words; null where it does. */
  readonly linkFault: string | null
  /** Drains and ends within `limits.drainMs` and a little. */
  stop(): Promise<void>
}

/**
 * Starts it; enrols first where that is needed. What was opened is closed again when a later step fails.
 *
 * @throws HubError `gate-not-enrolled`, `gate-registry-foreign`, `gate-link-refused`, `gate-version-differs`, and those of its parts
 */
export async function startLoneGate({ config, bootstrap, log }: LoneGateOptions): Promise<LoneGate> {
  const limited = limitLog(log, clock)
  const closing = new Closing(limited)
  closing.add('log', () => limited.flush())
  try {
    return await open(config, bootstrap, limited, closing)
  } catch (error) {
    await closing.run()
    throw error
  }
}

async function open(config: GateConfig, bootstrap: Bootstrap | null, log: Log, closing: Closing): Promise<LoneGate> {
  const directory = await prepareDataDirectory(config.dataDirectory, log)
  const lock = lockDataDirectory(directory.lock)
  closing.add('lock', () => lock.release())
  await assertPortsFree(config.listeners.map(({ name, ...at }) => ({ purpose: listenerPurpose(name), ...at })))
  const takesPasswords = config.listeners.some(({ clientCertificate }) => clientCertificate !== 'required')
  const registry = await openGateRegistry(config.databaseUrl, takesPasswords, log)
  const { store } = registry
  closing.add('registry', () => store.close())
  // Behind ports and database: a mistake there uses up no bootstrap string.
  const credential = await openGateCredential(join(directory.path, 'credential'), { bootstrap, clock, log })
  const lastEvent = await store.events.last()
  const authorities = await openAuthorities(store, null)
  assertOfThisHub(authorities, credential.rootFingerprint)

  const link = new GateLink({
    ...{ hub: config.hub, version, registryVersion, random, log },
    trust: () => credential.trust(),
    openBroker: (way, abilities) => openSharedUpstream({ way, abilities }),
    onEvents: () => registry.tellListeners(),
    onUp: () => reports.flush(),
  })
  const reports = new Reports((told) => link.tell(told))
  closing.add('link', () => link.stop())
  closing.add('reports', () => reports.flush())
  const fault = await link.start()

  const names = credential.names()
  const brought = config.tls === null ? null : openBroughtFiles({ clock, log }, config.tls, names)
  closing.add('brought certificate', () => brought?.stop())
  const { gate, follower } = await openReadingGate(
    {
      ...{ config, store, authorities, log, lastEvent },
      ...{ upstream: link.upstream, attempts: reports, observer: reports },
      certificate: credential.certificate(),
      certificateFor: (name) => brought?.forName(name) ?? null,
      confirmUse: (entrant) => confirmOver(link, store, entrant),
      wantCrl: (anchorId, certificate) =>
        link.say({ kind: 'crl-wanted', anchorId, certificate: Buffer.from(certificate).toString('base64') }),
      onRevoked: (afterMs) => link.say({ kind: 'revoked', afterMs: Math.max(0, Math.round(afterMs)) }),
    },
    closing,
  )
  const timer = setInterval(
    () => link.say({ kind: 'figures', figures: gate.figures(), position: follower.position() }),
    limits.gateFiguresMs,
  )
  closing.add('figures', () => clearInterval(timer))
  const renewing = credential.keepRenewed(async () => {
    gate.setCertificate(credential.certificate())
    await link.takeUpTrust()
  })
  closing.add('renewal', () => renewing.stop())
  return {
    ...{ id: credential.id, names, listeners: gate.addresses, caPath: credential.caPath },
    linkFault: fault?.message ?? null,
    stop: () => closing.run(),
  }
}

/** Two hubs have different roots: a gate that lets in the devices of one to the broker of another must not start. */
function assertOfThisHub(authorities: Authorities, rootFingerprint: string): void {
  if (authorities.all().some(({ fingerprint }) => fingerprint === rootFingerprint)) return
  throw new HubError(
    'gate-registry-foreign',
    'the database holds no root with the fingerprint that this gate was enrolled under',
  )
}

/** Asks the hub to write a first use. @throws HubError `store-unavailable`, or what the hub says */
async function confirmOver(link: GateLink, store: Store, entrant: Entrant): Promise<Entrant | Refusal> {
  const outcome = await link.confirmUse(entrant)
  if ('failed' in outcome) throw new HubError(outcome.failed, outcome.message, { hint: outcome.hint })
  if (!outcome.admitted) return { ...outcome, summary: entrant.summary }
  return confirmedEntrant(store, entrant)
}

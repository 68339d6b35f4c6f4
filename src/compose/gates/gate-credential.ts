/**
 * The credential of a gate on a machine of its own: one key and one certificate, by which its clients know it and its hub does. It is
 * kept and renewed as that of a device is.
 */
import { setTimeout as elapse } from 'node:timers/promises'
import { HubError, quote } from '../../core/errors.ts'
import type { Bootstrap } from '../../core/identity/bootstrap.ts'
import { readCertificate } from '../../core/x509/certificate.ts'
import { enrol } from '../../device/enrol.ts'
import { type Look, runAgent } from '../../device/renewal/agent.ts'
import type { CredentialStore } from '../../device/store/credential.ts'
import { openCredentialStore } from '../../device/store/open.ts'
import type { GateCertificate } from '../../gate/gate.ts'
import type { Clock } from '../../hub/ports/clock.ts'
import type { Log } from '../../hub/ports/log.ts'
import type { LinkTrust } from '../../link/dial.ts'

interface Surroundings {
  /** From the operator; needed where there is no certificate yet. */
  readonly bootstrap: Bootstrap | null
  readonly clock: Clock
  readonly log: Log
}

/** What it says is always of now: a renewal changes it. */
export interface GateCredential {
  /** The service that the gate is. */
  readonly id: string
  /** SHA-256 of the root that it was enrolled under, lower-case hexadecimal. */
  readonly rootFingerprint: string
  /** Path of the roots of the hub. */
  readonly caPath: string
  /** DNS names and addresses in the certificate. */
  names(): readonly string[]
  /** For the listeners. */
  certificate(): GateCertificate
  /** For the link. */
  trust(): LinkTrust
  /** Renews it whenever that is due, and calls back when another one is in use. */
  keepRenewed(onRenewed: () => Promise<void>): { stop(): Promise<void> }
}

/**
 * Opens the folder, and enrols where there is a bootstrap string that has not been used here.
 *
 * @throws HubError `gate-not-enrolled`, `store-unwritable`, and those of an enrolment
 */
export async function openGateCredential(
  path: string,
  { bootstrap, clock, log }: Surroundings,
): Promise<GateCredential> {
  if (bootstrap !== null) {
    await enrol({
      bootstrap,
      directory: path,
      nowMs: () => clock.nowMs(),
      wait: (ms) => elapse(ms),
      onProgress: ({ kind, text }) => {
        if (kind === 'step') log.info('the gate enrols', { step: text })
        else log.warn(kind === 'words' ? 'the key of the gate waits for approval' : 'the gate enrols', { [kind]: text })
      },
    })
  }
  const store = openCredentialStore(path, {
    onNotice: (text) => log.warn('the credential of the gate was put in order', { what: text }),
  })
  const { id, rootFingerprint } = hubOf(store)
  const identity = () => {
    const held = store.tlsIdentity('current')
    if (held !== null) return held
    throw new HubError('gate-not-enrolled', `${quote(path)} holds no key with its certificate any more`)
  }
  return {
    ...{ id, rootFingerprint, caPath: store.files.ca },
    names() {
      const { dnsNames, ipAddresses } = readCertificate(heldIn(store).certificate.raw)
      return [...dnsNames, ...ipAddresses]
    },
    certificate: () => ({ ...identity(), forRsa: null }),
    trust: () => ({ ...identity(), roots: store.roots().map(String).join('') }),
    keepRenewed: (onRenewed) => keepRenewed(store, { clock, log }, onRenewed),
  }
}

function heldIn(store: CredentialStore) {
  const held = store.current()
  if (held !== null) return held
  throw new HubError(
    'gate-not-enrolled',
    `${quote(store.path)} holds no certificate, and no bootstrap string was given`,
  )
}

function hubOf(store: CredentialStore) {
  const { hub } = heldIn(store)
  if (hub !== null) return hub
  throw new HubError('gate-not-enrolled', `${quote(store.path)} holds a certificate that did not come from a hub`)
}

/** How often the clock is looked at while nothing is due: one that is set forward must not be noticed an hour later. */
const clockLookMs = 10_000
/** An error of the folder ends a round of the agent, and another begins after this time. */
const afterFaultMs = 60_000

function keepRenewed(
  store: CredentialStore,
  { clock, log }: Pick<Surroundings, 'clock' | 'log'>,
  onRenewed: () => Promise<void>,
): { stop(): Promise<void> } {
  const ending = new AbortController()
  async function wait(ms: number): Promise<void> {
    const untilMs = clock.nowMs() + ms
    for (let waited = 0; waited < ms && clock.nowMs() < untilMs && !ending.signal.aborted; waited += clockLookMs) {
      await elapse(Math.min(ms - waited, clockLookMs), undefined, { signal: ending.signal }).catch(() => {})
    }
  }
  const told = ({ outcome, failure }: Look): void => {
    if (outcome === 'failed') log.error('the certificate of the gate could not be renewed', { error: failure })
    if (outcome !== 'renewed') return
    log.info('the certificate of the gate was renewed', {
      notAfter: heldIn(store).certificate.validToDate.toISOString(),
    })
    onRenewed().catch((error: unknown) => log.error('the renewed certificate cannot be used on the link', { error }))
  }
  async function run(): Promise<void> {
    while (!ending.signal.aborted) {
      try {
        await runAgent({
          store,
          nowMs: () => clock.nowMs(),
          // The hub's word: nobody connects to the gate with the gate's own certificate.
          ...{ proof: 'confirm', isKeyKept: false, keyKind: null },
          hooks: { onRenewed: null, onFailed: null, signal: null, reloadUnit: null },
          onWarning: (text) => log.warn('a renewal of the gate met something odd', { what: text }),
          ...{ signal: ending.signal, wait, onLook: told },
        })
      } catch (error) {
        log.error('the certificate of the gate cannot be looked at', { error })
        await wait(afterFaultMs)
      }
    }
  }
  const running = run()
  return {
    async stop() {
      ending.abort()
      await running
    },
  }
}

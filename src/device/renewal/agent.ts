/** The agent: looks at the credential now and then, renews it when it is due, and does what its owner wants done afterwards. */
import { HubError } from '../../core/errors.ts'
import { certificateFingerprint } from '../../core/x509/certificate.ts'
import { deviceLimits } from '../limits.ts'
import type { CredentialStore, HeldCredential } from '../store/credential.ts'
import { askWhen } from './est-renewal.ts'
import { type HookFacts, type Hooks, runFailedHook, runRenewedHooks } from './hooks.ts'
import { freshRecord, type RenewalRecord, readRecord, writeRecord } from './record.ts'
import { type RenewalStore, type RenewOptions, renew } from './renew.ts'
import { type Life, nextTryAtMs } from './schedule.ts'

/** A store that knows what time it was once. */
export type AgentStore = RenewalStore & Pick<CredentialStore, 'lastGoodTimeMs' | 'noteTime'>

export interface AgentOptions extends Omit<RenewOptions, 'store'> {
  readonly store: AgentStore
  readonly hooks: Hooks
}

/** What one look has led to. */
export interface Look {
  readonly outcome: 'renewed' | 'not-due' | 'failed'
  /** Why it failed, whether the renewal or a hook after it. */
  readonly failure: HubError | null
  /** When to look again, in milliseconds since the epoch. */
  readonly againAtMs: number
}

const clockSlackMs = 86_400_000
/** How soon it is looked again where the machine itself is in the way: its clock, its disk, a folder that is empty yet. */
const machineLookMs = 60_000
const hookAgainMs = 300_000
const hintAgainAfterFailureMs = 3_600_000

/**
 * Looks once, and renews where it is time. Only what the folder itself refuses is thrown; what the hub or a hook refuses is the
 * outcome.
 *
 * @param isForced renew whether it is due or not
 * @throws HubError `credential-missing`, `store-unwritable`
 */
export async function look(options: AgentOptions, isForced = false): Promise<Look> {
  const { store, nowMs } = options
  const clock = clockFailure(store, nowMs())
  if (clock !== null) return { outcome: 'failed', failure: clock, againAtMs: nowMs() + machineLookMs }
  const held = heldIn(store)
  const before = readRecord(store.path, fingerprintOf(held))
  const known = await asked(options, held, before)
  const owed = known.isHookOwed ? await payHook(options, held, known) : { record: known, failure: null }
  const { record } = owed
  // A look in which nothing happens writes nothing: there are many, and flash wears out.
  if (record !== before) writeRecord(store.path, record)
  const dueMs = dueOf(options, held, record)
  if (!isForced && nowMs() < dueMs) {
    const outcome = owed.failure === null ? 'not-due' : 'failed'
    return { outcome, failure: owed.failure, againAtMs: againAt(options, record, dueMs) }
  }
  return await tryRenewal(options, held, record)
}

/**
 * Looks again and again until it is told to stop.
 *
 * @param wait ends early, without an error, when the signal says so
 */
export async function runAgent(
  options: AgentOptions & {
    readonly signal: AbortSignal
    wait(ms: number, signal: AbortSignal): Promise<void>
    onLook(look: Look): void
  },
): Promise<void> {
  const { signal, nowMs, wait, onLook } = options
  while (!signal.aborted) {
    const seen = await look(options).catch((error: unknown) => failedLook(error, nowMs()))
    onLook(seen)
    const ms = Math.min(Math.max(seen.againAtMs - nowMs(), 1_000), deviceLimits.agentLookMsMax)
    await wait(ms, signal)
  }
}

/** A folder that is empty yet, or a disk that is full: either may be otherwise in a minute. */
function failedLook(error: unknown, nowMs: number): Look {
  if (!(error instanceof HubError)) throw error
  return { outcome: 'failed', failure: error, againAtMs: nowMs + machineLookMs }
}

/** When it will be tried next, as far as is known now; for whoever asks about a device. */
export function plannedAtMs(
  { store, nowMs }: Pick<AgentOptions, 'store' | 'nowMs'>,
  held: HeldCredential,
  record: RenewalRecord,
): number {
  return dueOf({ store, nowMs }, held, record)
}

/** Whether the clock is behind a time that has been already, by more than clocks differ. */
export function isClockWrong(store: Pick<AgentStore, 'lastGoodTimeMs'>, nowMs: number): boolean {
  const good = store.lastGoodTimeMs()
  return good !== null && nowMs < good - clockSlackMs
}

function clockFailure(store: AgentStore, nowMs: number): HubError | null {
  if (!isClockWrong(store, nowMs)) return null
  const [now, was] = [nowMs, store.lastGoodTimeMs() ?? 0].map((ms) => new Date(ms).toISOString())
  return new HubError('agent-clock-wrong', `the clock of this device says ${now}, and it has been ${was} already`)
}

function heldIn(store: RenewalStore): HeldCredential {
  const held = store.current()
  if (held !== null) return held
  throw new HubError('credential-missing', `${JSON.stringify(store.path)} holds no credential`)
}

/** Asks the hub when to come, where it is time for that. No answer is no obstacle: the certificate's own dates are enough. */
async function asked(options: AgentOptions, held: HeldCredential, record: RenewalRecord): Promise<RenewalRecord> {
  const { store, nowMs, onWarning } = options
  const { askAgainAtMs } = record
  const now = nowMs()
  // A moment far ahead was noted while the clock was wrong.
  const isTime = askAgainAtMs === null || now >= askAgainAtMs || askAgainAtMs - now > 2 * 86_400_000
  // Other EST servers know nothing of the kind.
  if (!isTime || held.hub === null || held.hub.estPath !== undefined) return record
  const { host, httpsPort } = held.hub
  try {
    const address = { host, port: httpsPort }
    const roots = store.roots().map(String).join('')
    const { hint, askAgainSec, hubTimeMs } = await askWhen({ address, roots }, held.certificate)
    // Its clock and not this one: a server proves itself also to a clock that is days ahead.
    if (hubTimeMs !== null) store.noteTime(hubTimeMs)
    return { ...record, hint, askAgainAtMs: nowMs() + askAgainSec * 1000 }
  } catch (error) {
    if (!(error instanceof HubError)) throw error
    onWarning?.(`the hub was not asked when to renew: ${error.message}`)
    return { ...record, askAgainAtMs: nowMs() + hintAgainAfterFailureMs }
  }
}

async function tryRenewal(options: AgentOptions, held: HeldCredential, record: RenewalRecord): Promise<Look> {
  const { store, nowMs, hooks } = options
  try {
    // Else a power cut between the switch and the note of it would lose the hooks. Run once too often they do no harm.
    const beforeSwitch = (): void => writeRecord(store.path, { ...record, isHookOwed: true })
    const { certificate } = await renew({ ...options, beforeSwitch })
    const now: HeldCredential = { certificate, hub: held.hub }
    const renewed = { ...freshRecord(fingerprintOf(now), nowMs()), isHookOwed: true }
    writeRecord(store.path, renewed)
    const paid = await payHook(options, now, renewed)
    writeRecord(store.path, paid.record)
    const againAtMs = againAt(options, paid.record, dueOf(options, now, paid.record))
    return { outcome: 'renewed', failure: paid.failure, againAtMs }
  } catch (error) {
    if (!(error instanceof HubError) || error.code === 'store-unwritable') throw error
    const { code, message, hint, retryAfterSec } = error
    const failed: RenewalRecord = {
      ...record,
      failures: record.failures + 1,
      lastTryAtMs: nowMs(),
      retryAfterMs: retryAfterSec === null ? null : retryAfterSec * 1000,
      lastFailure: { code, message, hint },
    }
    writeRecord(store.path, failed)
    await runFailedHook(hooks, { ...factsOf(options, held), HANDFAST_FAILURE: code }).catch((reason: HubError) =>
      options.onWarning?.(reason.message),
    )
    return { outcome: 'failed', failure: error, againAtMs: againAt(options, failed, dueOf(options, held, failed)) }
  }
}

async function payHook(
  options: AgentOptions,
  held: HeldCredential,
  record: RenewalRecord,
): Promise<{ readonly record: RenewalRecord; readonly failure: HubError | null }> {
  try {
    await runRenewedHooks(options.hooks, factsOf(options, held))
    return { record: { ...record, isHookOwed: false }, failure: null }
  } catch (error) {
    if (!(error instanceof HubError)) throw error
    return { record, failure: error }
  }
}

function factsOf({ store }: AgentOptions, { certificate, hub }: HeldCredential): HookFacts {
  return {
    HANDFAST_DIR: store.path,
    HANDFAST_ID: hub?.id ?? '',
    HANDFAST_FINGERPRINT: certificateFingerprint(certificate.raw),
    HANDFAST_NOT_AFTER: certificate.validToDate.toISOString(),
  }
}

function dueOf(
  { store, nowMs }: Pick<AgentOptions, 'store' | 'nowMs'>,
  held: HeldCredential,
  { obtainedAtMs, hint, failures, lastTryAtMs, retryAfterMs }: RenewalRecord,
): number {
  const { certificate, hub } = held
  const life: Life = {
    obtainedAtMs,
    notBeforeMs: certificate.validFromDate.getTime(),
    notAfterMs: certificate.validToDate.getTime(),
  }
  const tries = lastTryAtMs === null ? null : { failures, lastMs: lastTryAtMs, retryAfterMs }
  // One that has come already only wants its proof.
  const called = store.next() === null ? hint : { fromMs: 0, untilMs: 1 }
  return nextTryAtMs(hub?.id ?? certificate.subject, life, called, tries, nowMs())
}

function againAt({ nowMs }: AgentOptions, { askAgainAtMs, isHookOwed }: RenewalRecord, dueMs: number): number {
  const moments = [dueMs, nowMs() + deviceLimits.agentLookMsMax, askAgainAtMs ?? dueMs]
  return Math.min(...moments, ...(isHookOwed ? [nowMs() + hookAgainMs] : []))
}

function fingerprintOf({ certificate }: HeldCredential): string {
  return certificateFingerprint(certificate.raw)
}

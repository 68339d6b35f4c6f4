/** One simulated device: it sends readings, renews its certificate while it does, and goes on with the new one. */
import { setTimeout as pause } from 'node:timers/promises'
import { HubError } from '../core/errors.ts'
import { renew } from '../device/renewal/renew.ts'
import { dueAtMs } from '../device/renewal/schedule.ts'
import type { CredentialStore } from '../device/store/credential.ts'
import { type DeviceSession, openSession, reasonOf, type SessionEvent } from './device-session.ts'
import { type Reading, takeReading } from './reading.ts'

export interface SimulatedDevice {
  readonly id: string
  readonly store: CredentialStore
  /** What its clock is ahead of the right time, in milliseconds; below zero where it is behind. */
  readonly clockAheadMs: number
}

export interface DeviceOptions {
  /** Readings to send before it ends by itself; null for no end. */
  readonly count: number | null
  readonly intervalMs: number
  /** Time between two renewals; null where it renews as an agent does, at two thirds of the life of its certificate. */
  readonly renewEveryMs: number | null
  readonly random: () => number
  /** Ends the device early. */
  readonly signal: AbortSignal
  readonly report: (event: DeviceEvent) => void
}

/** What happens to a device. */
export type DeviceEvent =
  | SessionEvent
  | ({ readonly id: string } & (
      | { readonly kind: 'sent'; readonly reading: Reading; readonly acknowledgedMs: number }
      | { readonly kind: 'renewed' }
      /** It goes on with the certificate that it has, and tries again. */
      | { readonly kind: 'renewal-failed'; readonly reason: string }
    ))

/** How a device ended. */
export interface DeviceOutcome {
  readonly id: string
  readonly sent: number
  /** What the hub said when it refused it for good, or null. */
  readonly refusal: string | null
}

/** A part of the time between two renewals by which each comes earlier or later. */
const renewalSpread = 0.1
/** Milliseconds until a renewal that failed is tried again, where none is due earlier. */
const retryMs = 30_000

/** Connects and sends until the count is reached, the signal says so or the hub refuses for good. */
export async function runDevice(device: SimulatedDevice, options: DeviceOptions): Promise<DeviceOutcome> {
  const { id } = device
  const { random, report, count, intervalMs } = options
  const ended = new AbortController()
  const end = (): void => ended.abort()
  options.signal.addEventListener('abort', end, { once: true })
  if (options.signal.aborted) end()
  let refusal: string | null = null
  const open = (): DeviceSession =>
    sessionOf(device, options, (reason) => {
      refusal ??= reason
      end()
    })
  let session = open()
  let sent = 0
  let sendAtMs = performance.now()
  let renewAtMs = sendAtMs + untilRenewal(device, options, random())
  try {
    while (!ended.signal.aborted && (count === null || sent < count)) {
      const nowMs = performance.now()
      if (nowMs >= renewAtMs) {
        if (await renewed(device, report)) {
          await unlessEnded(session.end(false), ended.signal)
          session = open()
          renewAtMs = performance.now() + untilRenewal(device, options, 1 + renewalSpread * (2 * random() - 1))
        } else {
          renewAtMs = performance.now() + Math.min(retryMs, options.renewEveryMs ?? retryMs)
        }
      } else if (nowMs >= sendAtMs) {
        const reading = takeReading(id, sent, random)
        await unlessEnded(session.send(reading), ended.signal)
        sent += 1
        sendAtMs = performance.now() + intervalMs
        report({ id, kind: 'sent', reading, acknowledgedMs: performance.now() - nowMs })
      } else {
        const untilNext = Math.min(sendAtMs, renewAtMs) - nowMs
        await pause(Math.min(untilNext, timerMsMax), undefined, { signal: ended.signal })
      }
    }
  } catch (error) {
    if (!ended.signal.aborted) refusal ??= reasonOf(error)
  } finally {
    options.signal.removeEventListener('abort', end)
    await session.end(ended.signal.aborted)
  }
  return { id, sent, refusal }
}

/** The longest that a timer of Node waits. */
const timerMsMax = 2 ** 31 - 1

/** @param part of the time between two renewals, where that is given: a fleet that began at once must not renew at once */
function untilRenewal(device: SimulatedDevice, { renewEveryMs }: DeviceOptions, part: number): number {
  if (renewEveryMs !== null) return renewEveryMs * part
  const { id, store } = device
  const held = store.current()
  if (held === null) return retryMs
  const { validFromDate, validToDate } = held.certificate
  const life = { obtainedAtMs: null, notBeforeMs: validFromDate.getTime(), notAfterMs: validToDate.getTime() }
  // By a clock that is far ahead every certificate is due.
  return Math.max(dueAtMs(id, life, null) - clockOf(device)(), retryMs)
}

function sessionOf(
  device: SimulatedDevice,
  { random, report }: DeviceOptions,
  onRefused: (reason: string) => void,
): DeviceSession {
  const { id, store } = device
  const [hub, identity] = [store.current()?.hub, store.tlsIdentity()]
  if (!hub || identity === null) throw new HubError('credential-missing', `${JSON.stringify(store.path)} holds nothing`)
  return openSession({
    id,
    host: hub.host,
    port: hub.mqttPort,
    ca: store.roots().map(String).join(''),
    certificate: identity.chain,
    key: identity.key,
    nowMs: clockOf(device),
    random,
    report,
    onRefused,
  })
}

/** As the agent renews: another key, and the certificate is tried before it is used. */
async function renewed(device: SimulatedDevice, report: DeviceOptions['report']): Promise<boolean> {
  const { id, store } = device
  try {
    await renew({ store, nowMs: clockOf(device), proof: 'connect', isKeyKept: false, keyKind: null })
    report({ id, kind: 'renewed' })
    return true
  } catch (error) {
    if (!(error instanceof HubError)) throw error
    report({ id, kind: 'renewal-failed', reason: error.message })
    return false
  }
}

/** The time as the device has it. */
export function clockOf({ clockAheadMs }: Pick<SimulatedDevice, 'clockAheadMs'>): () => number {
  return () => Date.now() + clockAheadMs
}

/** The work, or a rejection as soon as the signal comes: a message that waits for a connection would wait for ever. */
function unlessEnded(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onEnd = (): void => reject(signal.reason)
    if (signal.aborted) onEnd()
    signal.addEventListener('abort', onEnd, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onEnd))
  })
}

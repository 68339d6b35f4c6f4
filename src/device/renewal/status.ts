/** What a device's folder holds and what its agent is about to do, from the folder alone. */
import { HubError } from '../../core/errors.ts'
import { Secret } from '../../core/secret.ts'
import { certificateFingerprint, readCertificate } from '../../core/x509/certificate.ts'
import { placeText } from '../key-elsewhere/reference.ts'
import { type AgentStore, isClockWrong, plannedAtMs } from './agent.ts'
import { readRecord, type ToldFailure } from './record.ts'

export interface AgentStatus {
  /** Null where the certificate is none of a hub's. */
  readonly id: string | null
  /** `host:port` of the EST listener. */
  readonly hub: string | null
  /** Where the key is, in words; null where it is in the folder. */
  readonly keyPlace: string | null
  readonly state: 'good' | 'due' | 'ended' | 'not-yet-good'
  readonly serialNumber: string
  /** SHA-256, lower-case hexadecimal. */
  readonly fingerprint: string
  /** ISO 8601, UTC; as all dates here. */
  readonly notBefore: string
  readonly notAfter: string
  readonly dueAt: string
  /** The next certificate has come and is not proved. */
  readonly isNextWaiting: boolean
  readonly failures: number
  readonly lastTryAt: string | null
  readonly lastFailure: ToldFailure | null
  readonly isHookOwed: boolean
  readonly isClockWrong: boolean
}

/** @throws HubError `credential-missing` */
export function agentStatus(store: AgentStore, nowMs: number): AgentStatus {
  const held = store.current()
  if (held === null) throw new HubError('credential-missing', `${JSON.stringify(store.path)} holds no credential`)
  const { certificate, hub } = held
  const key = store.deviceIdentity('current')?.key
  const fingerprint = certificateFingerprint(certificate.raw)
  const record = readRecord(store.path, fingerprint)
  const dueMs = plannedAtMs({ store, nowMs: () => nowMs }, held, record)
  const [fromMs, untilMs] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()]
  const { failures, lastTryAtMs, lastFailure, isHookOwed } = record
  return {
    id: hub?.id ?? null,
    hub: hub === null ? null : `${hub.host}:${hub.httpsPort}`,
    keyPlace: key instanceof Secret || key === undefined ? null : placeText(key.place),
    state: nowMs > untilMs ? 'ended' : nowMs < fromMs ? 'not-yet-good' : nowMs >= dueMs ? 'due' : 'good',
    serialNumber: readCertificate(certificate.raw).serialNumber,
    fingerprint,
    notBefore: new Date(fromMs).toISOString(),
    notAfter: new Date(untilMs).toISOString(),
    dueAt: new Date(dueMs).toISOString(),
    isNextWaiting: store.next() !== null,
    failures,
    lastTryAt: lastTryAtMs === null ? null : new Date(lastTryAtMs).toISOString(),
    lastFailure,
    isHookOwed,
    isClockWrong: isClockWrong(store, nowMs),
  }
}

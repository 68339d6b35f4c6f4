/**
 * What the agent remembers between its runs, as `agent.json` beside the credential: whether it tried and why that failed, what
 * the hub said, and which hooks are still owed. Losing it costs a try too many and nothing else.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { HubError, quote } from '../../core/errors.ts'
import { writeDurably } from '../../disk/durable-file.ts'
import { deviceLimits } from '../limits.ts'
import type { Hint } from './schedule.ts'

export const recordFile = 'agent.json'

/** Why a try failed, as it was told. */
export interface ToldFailure {
  readonly code: string
  readonly message: string
  readonly hint: string
}

export interface RenewalRecord {
  /** SHA-256 of the certificate that all of this is about, lower-case hexadecimal. */
  readonly fingerprint: string
  /** When the agent got it, in milliseconds since the epoch; null for one that others put there. */
  readonly obtainedAtMs: number | null
  readonly hint: Hint | null
  readonly askAgainAtMs: number | null
  readonly failures: number
  readonly lastTryAtMs: number | null
  readonly retryAfterMs: number | null
  readonly lastFailure: ToldFailure | null
  /** A renewal has succeeded whose hook has not. */
  readonly isHookOwed: boolean
}

/** The record of a certificate of which nothing is known yet. */
export function freshRecord(fingerprint: string, obtainedAtMs: number | null): RenewalRecord {
  return {
    ...{ fingerprint, obtainedAtMs, hint: null, askAgainAtMs: null },
    ...{ failures: 0, lastTryAtMs: null, retryAfterMs: null, lastFailure: null, isHookOwed: false },
  }
}

/** What stands in the folder about this certificate, or a fresh record: one that cannot be read has nothing that must be kept. */
export function readRecord(folder: string, fingerprint: string): RenewalRecord {
  const path = join(folder, recordFile)
  const fresh = freshRecord(fingerprint, null)
  if (!existsSync(path) || statSync(path).size > deviceLimits.fileBytesMax) return fresh
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return fresh
  }
  if (typeof value !== 'object' || value === null) return fresh
  const read = reader(value)
  const isHookOwed = read.flag('isHookOwed')
  // Somebody put another certificate there: the tries were for the old one, the hook is still owed.
  if (Reflect.get(value, 'fingerprint') !== fingerprint) return { ...fresh, isHookOwed }
  return {
    fingerprint,
    obtainedAtMs: read.number('obtainedAtMs'),
    hint: readHint(Reflect.get(value, 'hint')),
    askAgainAtMs: read.number('askAgainAtMs'),
    failures: Math.max(0, Math.trunc(read.number('failures') ?? 0)),
    lastTryAtMs: read.number('lastTryAtMs'),
    retryAfterMs: read.number('retryAfterMs'),
    lastFailure: readFailure(Reflect.get(value, 'lastFailure')),
    isHookOwed,
  }
}

/** On disk when this returns. @throws HubError `store-unwritable` */
export function writeRecord(folder: string, record: RenewalRecord): void {
  const path = join(folder, recordFile)
  try {
    writeDurably(path, `${JSON.stringify(record, null, 2)}\n`, 0o600)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new HubError('store-unwritable', `${quote(path)} cannot be written (${code ?? 'unknown'})`, { cause: error })
  }
}

function reader(value: object) {
  return {
    number(name: keyof RenewalRecord): number | null {
      const found: unknown = Reflect.get(value, name)
      return typeof found === 'number' && Number.isFinite(found) ? found : null
    },
    flag: (name: keyof RenewalRecord): boolean => Reflect.get(value, name) === true,
  }
}

function readHint(value: unknown): Hint | null {
  if (typeof value !== 'object' || value === null) return null
  const { number } = reader(value) as { number(name: string): number | null }
  const [fromMs, untilMs] = [number('fromMs'), number('untilMs')]
  return fromMs === null || untilMs === null || fromMs >= untilMs ? null : { fromMs, untilMs }
}

function readFailure(value: unknown): ToldFailure | null {
  if (typeof value !== 'object' || value === null) return null
  const text = (name: keyof ToldFailure): string =>
    String(Reflect.get(value, name) ?? '').slice(0, deviceLimits.toldCharsMax)
  return { code: text('code'), message: text('message'), hint: text('hint') }
}

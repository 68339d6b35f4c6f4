/** Asks the hub what it has made of the last attempts of this device. What it answers is its word, and is read as a stranger's. */
import { HubError } from '../core/errors.ts'
import { refusal } from './est-client.ts'
import type { DeviceIdentity } from './key-elsewhere/reference.ts'
import { deviceLimits } from './limits.ts'
import { exchange, type HubAddress, openTls } from './tls-exchange.ts'

/** What a refused client is told; all null where it was admitted. */
export interface ToldVerdict {
  readonly outcome: 'admitted' | 'refused'
  /** The name of a failure, as the hub wrote it. */
  readonly code: string | null
  readonly sentence: string | null
}

export interface ToldAttempt extends ToldVerdict {
  /** ISO 8601. */
  readonly at: string
  readonly listener: string
  readonly stage: string
}

export interface OwnAttempts {
  /** What the gate would say now to the certificate that was shown. */
  readonly verdict: ToldVerdict
  /** The newest first. */
  readonly attempts: readonly ToldAttempt[]
}

/**
 * @param roots in PEM; the hub must prove its name under one of them
 * @returns the story, null where this hub tells none; and the hub's time in milliseconds since the epoch, null where it says none
 * @throws HubError `enrolment-tls-untrusted`; `hub-unreachable`; `hub-answer-unexpected`; `key-elsewhere`; `key-program-failed`; the
 *   hub's own code where it does not know the certificate
 */
export async function readOwnAttempts(
  address: HubAddress,
  roots: string,
  identity: DeviceIdentity,
): Promise<{ readonly story: OwnAttempts | null; readonly dateMs: number | null }> {
  const socket = await openTls(address, { root: roots, identity })
  const answer = await exchange(socket, address, { method: 'GET', path: '/device/attempts' })
  const { dateMs } = answer
  if (answer.status === 404) return { story: null, dateMs }
  if (answer.status !== 200) throw refusal(answer, 'what it has made of this device')
  try {
    return { story: storyIn(JSON.parse(answer.body.toString('utf8'))), dateMs }
  } catch (cause) {
    throw new HubError(
      'hub-answer-unexpected',
      'the hub was asked about this device, and its answer is not to be read',
      {
        cause,
      },
    )
  }
}

/** Attempts that are taken from one answer; the hub tells of 20. */
const attemptsMax = 64

function storyIn(value: unknown): OwnAttempts {
  const attempts = field(value, 'attempts')
  if (!Array.isArray(attempts)) throw new TypeError('no attempts')
  return {
    verdict: verdictIn(field(value, 'verdict')),
    attempts: attempts.slice(0, attemptsMax).map((each: unknown) => ({
      at: new Date(text(each, 'at') ?? '').toISOString(),
      listener: text(each, 'listener') ?? '',
      stage: text(each, 'stage') ?? '',
      ...verdictIn(each),
    })),
  }
}

function verdictIn(value: unknown): ToldVerdict {
  const outcome = text(value, 'outcome') === 'admitted' ? 'admitted' : 'refused'
  return { outcome, code: text(value, 'code'), sentence: text(value, 'sentence') }
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) throw new TypeError('no object')
  return Reflect.get(value, name)
}

function text(value: unknown, name: string): string | null {
  const found = field(value, name)
  if (typeof found !== 'string') return null
  const line = found.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, ' ').trim()
  return line.slice(0, deviceLimits.toldCharsMax)
}

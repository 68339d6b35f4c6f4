/** Passwords of identities, for clients that have no certificate. Only a slow hash of each is kept. */
import { HubError } from '../errors.ts'
import { limits } from '../limits.ts'
import { Secret } from '../secret.ts'
import type { IdentityId } from './id.ts'

/**
 * `pending` until its first use; `active` from then on; `superseded` once its successor is used, and good until the overlap
 * ends; `ended` for ever.
 */
export const passwordStates = ['pending', 'active', 'superseded', 'ended'] as const
export type PasswordState = (typeof passwordStates)[number]

/** What scrypt (RFC 7914) was told: N is 2 to the power of `logN`. */
export interface ScryptCost {
  readonly logN: number
  readonly r: number
  readonly p: number
}

/** 16 MiB and some 40 ms of CPU a guess. */
export const scryptCost: ScryptCost = { logN: 14, r: 8, p: 1 }

export interface Password {
  /** 16 lower-case hexadecimal characters; not secret. */
  readonly id: string
  readonly identityId: IdentityId
  readonly state: PasswordState
  /** 32 octets. */
  readonly hash: Uint8Array
  /** 16 octets. */
  readonly salt: Uint8Array
  readonly cost: ScryptCost
  readonly createdAtMs: number
  /** Its first use. */
  readonly usedAtMs: number | null
  readonly supersededAtMs: number | null
  /** When it ended, or, of one that is superseded, when it will. */
  readonly endedAtMs: number | null
}

/** Whether it opens anything at a moment. */
export function passwordStands({ state, endedAtMs }: Pick<Password, 'state' | 'endedAtMs'>, nowMs: number): boolean {
  if (state === 'superseded') return endedAtMs !== null && nowMs < endedAtMs
  return state === 'pending' || state === 'active'
}

/** Octets of chance in a password that the hub makes: 144 bits, 24 characters in base64url. */
export const passwordOctets = 18

/**
 * A password that an operator brings.
 *
 * @throws HubError `password-unusable`; the message never repeats it
 */
export function parseOwnPassword(text: string): Secret {
  const refuse = (fault: string): HubError =>
    new HubError('password-unusable', `the password ${fault}`, {
      hint: 'leave it out, and the hub makes one that nobody guesses',
    })
  const { passwordCharsMin, passwordCharsMax } = limits
  const length = [...text].length
  if (length < passwordCharsMin) throw refuse(`has fewer than ${passwordCharsMin} characters`)
  if (length > passwordCharsMax) throw refuse(`has more than ${passwordCharsMax} characters`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
  if (/[\u0000-\u001f\u007f-\u009f]/.test(text)) throw refuse('holds a control character')
  if (text !== text.normalize('NFC')) throw refuse('is not in Unicode form NFC, so that keyboards may differ about it')
  return new Secret(text)
}

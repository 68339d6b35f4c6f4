/** Passwords: state and dates of each agree, and what is compared with it can be. */
import { passwordStates } from '../../core/identity/password.ts'
import { limits } from '../../core/limits.ts'
import type { IdentityRule, PasswordRow, Problem } from '../rule.ts'

export const passwordStateLegal: IdentityRule = {
  name: 'password-state-legal',
  reason: 'state and dates of a password decide whether it opens the gate; one that cannot be compared opens nothing',
  *look({ id, identity, passwords }): Iterable<Problem> {
    for (const row of passwords) {
      for (const sentence of faultsOf(row)) yield { subject: `password ${row.id}`, sentence }
    }
    const standing = passwords.filter(({ state }) => state !== 'ended').length
    if (standing > 0 && identity?.state === 'retired') {
      yield { subject: id, sentence: `is retired and has ${standing} passwords that are not ended` }
    }
    if (standing > limits.passwordsStandingMax) yield { subject: id, sentence: `has ${standing} passwords that stand` }
  },
}

function* faultsOf(row: PasswordRow): Iterable<string> {
  const { state, hash, salt, superseded_at_ms: supersededAt, ended_at_ms: endedAt, used_at_ms: usedAt } = row
  if (!passwordStates.some((known) => known === state)) yield `is in the unknown state ${JSON.stringify(state)}`
  const hasEnd = state === 'superseded' || state === 'ended'
  if (hasEnd !== (endedAt !== null)) yield `is ${state} and has ${endedAt === null ? 'no' : 'an'} end`
  if (state === 'superseded' && supersededAt === null) yield 'is superseded and has no date of that'
  if (state === 'active' && usedAt === null) yield 'is active and was never used'
  if (state === 'pending' && usedAt !== null) yield 'is pending and was used'
  if (hash.length !== 32) yield `has a hash of ${hash.length} octets`
  if (salt.length !== 16) yield `has a salt of ${salt.length} octets`
  if (!isCost(row.cost)) yield 'was hashed at a cost that cannot be read'
}

function isCost(text: string): boolean {
  try {
    const { logN, r, p } = JSON.parse(text) as Record<string, unknown>
    return [logN, r, p].every((value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 24)
  } catch {
    return false
  }
}

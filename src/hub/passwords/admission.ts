/** What the gate asks about a client that shows a user name and a password in place of a certificate. */
import { HubError, quote } from '../../core/errors.ts'
import { type FailureName, failure } from '../../core/failure/catalogue.ts'
import { type IdentityId, isIdentityId } from '../../core/identity/id.ts'
import { type Identity, identityRefusal } from '../../core/identity/identity.ts'
import { type Password, passwordStands, scryptCost } from '../../core/identity/password.ts'
import { limits } from '../../core/limits.ts'
import type { Secret } from '../../core/secret.ts'
import type { Entrant, Refusal } from '../gate-admission.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store } from '../ports/store.ts'
import { usePassword } from './change.ts'
import type { GuessLimiter, Held, Outcome } from './guessing.ts'
import type { PasswordHashing } from './hashing.ts'

export interface OfferedPassword {
  /** Null where the CONNECT has none. */
  readonly username: string | null
  readonly password: Secret | null
  /** As `peerAddress` gives it. */
  readonly address: string
  /** Whether the client has left meanwhile, and waits for no answer. */
  readonly isGone?: () => boolean
}

export interface PasswordAdmission {
  /** Judges user name and password: the name is the id of an identity. */
  judge(offered: OfferedPassword): Promise<Entrant | Refusal>
  /**
   * Reads again whether the password stands, and writes down its first use. To be asked once the connection can be found by
   * its password, so that what was taken away meanwhile is noticed here or there.
   */
  confirmUse(entrant: Entrant): Promise<Entrant | Refusal>
}

interface Hub {
  readonly store: Store
  readonly clock: Clock
  readonly hashing: PasswordHashing
  readonly limiter: GuessLimiter
}

/** What an unknown name is compared with, so that it takes as long as a known one. */
const nobodys: Password = {
  id: '',
  identityId: '' as IdentityId,
  state: 'ended',
  hash: new Uint8Array(),
  salt: new Uint8Array(16),
  cost: scryptCost,
  createdAtMs: 0,
  usedAtMs: null,
  supersededAtMs: null,
  endedAtMs: 0,
}

export function passwordAdmission(hub: Hub): PasswordAdmission {
  return {
    judge: (offered) => judge(hub, offered),
    async confirmUse(entrant) {
      const { identity, proof } = entrant
      if (proof.kind !== 'password') return entrant
      const code = await usePassword(hub, proof.passwordId)
      return code === null ? entrant : refuse(code, failure(code).cause, identity.id)
    },
  }
}

async function judge(hub: Hub, offered: OfferedPassword): Promise<Entrant | Refusal> {
  const { username, password, address } = offered
  if (username === null || username === '' || password === null) {
    return refuse('password-missing', 'the client showed neither a certificate nor a user name with a password', null)
  }
  const comparison = hub.limiter.enter(username, address)
  if ('code' in comparison) return refuse(comparison.code, heldSentence(username, address, comparison), null)
  let outcome: Outcome = 'undecided'
  try {
    const identity = isIdentityId(username) ? await hub.store.identities.find(username) : null
    const standing = identity === null ? [] : await standingOf(hub, identity)
    const matching = await firstMatch(hub, password, standing, offered.isGone)
    outcome = matching === null ? 'wrong' : 'right'
    if (identity !== null && matching !== null) return entrantOf(identity, matching)
    return refuse('password-wrong', wrongSentence(username, identity, standing), identity?.id ?? null)
  } catch (error) {
    if (error instanceof HubError && error.code === 'passwords-busy') outcome = 'given-up'
    throw error
  } finally {
    comparison.end(outcome)
  }
}

function heldSentence(username: string, address: string, { code, waitMs }: Held): string {
  if (code === 'passwords-busy')
    return `${limits.passwordChecksOfSourceMax} passwords from ${address} are being compared`
  return `${quote(username)} from ${address} is compared again in ${Math.ceil(waitMs / 1000)} s`
}

function entrantOf(identity: Identity, { id }: Password): Entrant | Refusal {
  const code = identityRefusal(identity.state)
  if (code !== null) return refuse(code, failure(code).cause, identity.id)
  return { admitted: true, identity, proof: { kind: 'password', passwordId: id }, summary: null }
}

async function standingOf({ store, clock }: Hub, identity: Identity): Promise<readonly Password[]> {
  const nowMs = clock.nowMs()
  return (await store.passwords.standingOf(identity.id)).filter((each) => passwordStands(each, nowMs))
}

/** However many there are, failing takes as long as with the most that there can be. */
async function firstMatch(
  { hashing }: Hub,
  offered: Secret,
  standing: readonly Password[],
  isGone?: () => boolean,
): Promise<Password | null> {
  const missing = Math.max(0, limits.passwordsStandingMax - standing.length)
  // The newest first: it is the likeliest.
  return hashing.firstMatch(offered, [...standing.toReversed(), ...Array<Password>(missing).fill(nobodys)], isGone)
}

function wrongSentence(username: string, identity: Identity | null, standing: readonly Password[]): string {
  if (identity === null) return `no identity has the id ${quote(username)}, which came as user name`
  if (standing.length === 0) return `${identity.id} has no password that stands`
  return `the password is not that of ${identity.id}`
}

function refuse(code: FailureName, sentence: string, identityId: string | null): Refusal {
  return { admitted: false, code, sentence, identityId, summary: null }
}

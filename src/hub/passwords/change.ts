/** Passwords are set, rotated, used, superseded and ended as credentials are: nothing is taken before what follows has arrived. */
import { HubError, quote } from '../../core/errors.ts'
import type { FailureName } from '../../core/failure/catalogue.ts'
import type { IdentityId } from '../../core/identity/id.ts'
import { type Identity, identityRefusal } from '../../core/identity/identity.ts'
import {
  type Password,
  parseOwnPassword,
  passwordOctets,
  passwordStands,
  scryptCost,
} from '../../core/identity/password.ts'
import { limits } from '../../core/limits.ts'
import { Secret } from '../../core/secret.ts'
import type { Clock } from '../ports/clock.ts'
import type { Random } from '../ports/random.ts'
import type { Store, Transaction } from '../ports/store.ts'
import { assertNotHub } from '../register-identity.ts'
import type { PasswordHashing } from './hashing.ts'

interface Hub {
  readonly store: Store
  readonly clock: Clock
}

/** How long a password that was superseded still connects, in milliseconds: as long as a certificate does. */
export const passwordOverlapMs: number = 86_400_000

export interface NewPassword {
  readonly password: Password
  /** Kept nowhere. */
  readonly text: Secret
}

interface Act {
  readonly actor: string
  readonly atMs: number
}

/** What setting a password asks of whoever wants it; both in its transaction. */
export interface PasswordOrder {
  /** Throws where the password of this identity is not theirs to set. */
  mayChange?(identity: Identity): void
  finish?(tx: Transaction, set: NewPassword): Promise<void>
}

/**
 * Gives an identity another password. The one that is in use connects until the new one was used, and a day longer; one that
 * was never used, or superseded before, ends now.
 *
 * @param own what the operator wants it to be; null for one that is made here
 * @throws HubError `identity-not-found`, `identity-retired`, `password-unusable`, `identity-of-hub`, `passwords-busy`; what the
 *   order throws
 */
export async function setPassword(
  hub: Hub & { readonly random: Random; readonly hashing: PasswordHashing },
  actor: string,
  id: IdentityId,
  own: string | null,
  order: PasswordOrder = {},
): Promise<NewPassword> {
  assertNotHub(id)
  const text =
    own === null
      ? new Secret(Buffer.from(hub.random.bytes(passwordOctets)).toString('base64url'))
      : parseOwnPassword(own)
  const salt = hub.random.bytes(16)
  // Before the transaction: nobody else's writing waits for a slow hash.
  const hash = await hub.hashing.hash(text, salt, scryptCost)
  return hub.store.write(async (tx) => {
    const identity = await findAny(tx, id)
    order.mayChange?.(identity)
    if (identity.state === 'retired') throw new HubError('identity-retired', `${quote(id)} is retired`)
    const act = { actor, atMs: hub.clock.nowMs() }
    for (const earlier of await tx.passwords.standingOf(id)) {
      if (earlier.state !== 'active') await endPassword(tx, act, earlier)
    }
    const password: Password = {
      id: Buffer.from(hub.random.bytes(8)).toString('hex'),
      ...{ identityId: id, state: 'pending', hash, salt, cost: scryptCost, createdAtMs: act.atMs },
      ...{ usedAtMs: null, supersededAtMs: null, endedAtMs: null },
    }
    await tx.passwords.insert(password)
    await tx.events.append({ type: 'password-set', identityId: id, passwordId: password.id })
    await audit(tx, act, 'password.set', id, null, { password: password.id })
    await order.finish?.(tx, { password, text })
    return { password, text }
  })
}

/**
 * Notes the use of a password: the first one makes it active, and supersedes what it follows.
 *
 * @returns null where it stands, else why not
 */
export async function usePassword({ store, clock }: Hub, passwordId: string): Promise<FailureName | null> {
  const { password, code } = await stateOf(store, passwordId, clock.nowMs())
  if (code !== null || password === null || password.state !== 'pending') return code
  return store.write(async (tx) => {
    const act = { actor: 'hub', atMs: clock.nowMs() }
    const again = await stateOf(tx, passwordId, act.atMs)
    if (again.code !== null || again.password === null || again.password.state !== 'pending') return again.code
    const { identityId } = again.password
    for (const earlier of await tx.passwords.standingOf(identityId)) {
      if (earlier.state === 'superseded') await endPassword(tx, act, earlier)
      if (earlier.state === 'active') await supersedePassword(tx, act, earlier, act.atMs + passwordOverlapMs)
    }
    await tx.passwords.update({ ...again.password, state: 'active', usedAtMs: act.atMs })
    await audit(tx, act, 'password.use', identityId, { password: passwordId, state: 'pending' }, { state: 'active' })
    return null
  })
}

async function stateOf(
  store: Pick<Store, 'passwords' | 'identities'> | Pick<Transaction, 'passwords' | 'identities'>,
  passwordId: string,
  nowMs: number,
): Promise<{ readonly password: Password | null; readonly code: FailureName | null }> {
  const password = await store.passwords.find(passwordId)
  if (password === null || !passwordStands(password, nowMs)) return { password, code: 'password-ended' }
  const identity = await store.identities.find(password.identityId)
  return { password, code: identity === null ? 'password-ended' : identityRefusal(identity.state) }
}

/**
 * Ends passwords of an identity now; their sessions close.
 *
 * @param passwordId which one; null for all
 * @returns those that were ended
 * @throws HubError `identity-not-found`, `password-not-found`
 */
export function revokePasswords(
  hub: Hub,
  actor: string,
  id: IdentityId,
  passwordId: string | null,
): Promise<readonly Password[]> {
  return hub.store.write(async (tx) => {
    await findAny(tx, id)
    const standing = await tx.passwords.standingOf(id)
    const named = passwordId === null ? standing : standing.filter((each) => each.id === passwordId)
    if (passwordId !== null && named.length === 0) {
      throw new HubError('password-not-found', `${quote(id)} has no password ${quote(passwordId)} that stands`)
    }
    const act = { actor, atMs: hub.clock.nowMs() }
    const ended: Password[] = []
    for (const password of named) ended.push(await endPassword(tx, act, password))
    return ended
  })
}

/** Ends every password of an identity, as a part of something larger. Returns how many. */
export async function endPasswordsOf(tx: Transaction, act: Act, id: IdentityId): Promise<number> {
  const standing = await tx.passwords.standingOf(id)
  for (const password of standing) await endPassword(tx, act, password)
  return standing.length
}

/** One transaction: ends those whose overlap is over, at most `limits.renewalSweepRows`. Returns how many. */
export function endOverlapsOfPasswords({ store, clock }: Hub): Promise<number> {
  return store.write(async (tx) => {
    const act = { actor: 'hub', atMs: clock.nowMs() }
    const over = await tx.passwords.overAt(act.atMs, limits.renewalSweepRows)
    for (const password of over) await endPassword(tx, act, password)
    return over.length
  })
}

/** The passwords of an identity, newest first. @throws HubError `identity-not-found` */
export async function passwordsOf(store: Store, id: IdentityId): Promise<readonly Password[]> {
  await findAny(store, id)
  return store.passwords.listOfIdentity(id)
}

/** @param endsAtMs until when it still connects */
export async function supersedePassword(
  tx: Transaction,
  act: Act,
  password: Password,
  endsAtMs: number,
): Promise<void> {
  const { id, identityId, state } = password
  await tx.passwords.update({ ...password, state: 'superseded', supersededAtMs: act.atMs, endedAtMs: endsAtMs })
  await tx.events.append({ type: 'password-superseded', identityId, passwordId: id, endsAtMs })
  const after = { state: 'superseded', until: new Date(endsAtMs).toISOString() }
  await audit(tx, act, 'password.supersede', identityId, { password: id, state }, after)
}

export async function endPassword(tx: Transaction, act: Act, password: Password): Promise<Password> {
  const { id, identityId, state } = password
  const ended: Password = { ...password, state: 'ended', endedAtMs: act.atMs }
  await tx.passwords.update(ended)
  await tx.events.append({ type: 'password-ended', identityId, passwordId: id })
  await audit(tx, act, 'password.end', identityId, { password: id, state }, { state: 'ended' })
  return ended
}

function audit(
  tx: Transaction,
  { actor, atMs }: Act,
  act: string,
  subject: string,
  before: unknown,
  after: unknown,
): Promise<void> {
  return tx.audit.append({ atMs, actor, act, subject, before, after }).then(() => undefined)
}

async function findAny(store: Pick<Transaction, 'identities'> | Store, id: IdentityId): Promise<Identity> {
  const identity = await store.identities.find(id)
  if (identity !== null) return identity
  throw new HubError('identity-not-found', `there is no identity ${quote(id)}`)
}

/** Roles of people: who has which, giving one and taking it away. */
import { isBoundToGroups, parseRoleGrant, type Role, type RoleGrant, roles } from '../core/authorisation/role.ts'
import { HubError, quote } from '../core/errors.ts'
import type { IdentityId } from '../core/identity/id.ts'
import type { Identity } from '../core/identity/identity.ts'
import { limits } from '../core/limits.ts'
import type { Access } from './authorise.ts'
import type { Clock } from './ports/clock.ts'
import type { RoleGrantReader, RoleGrantRow } from './ports/grants.ts'
import type { IdentityReader, Store, Transaction } from './ports/store.ts'

interface Hub {
  readonly store: Store
  readonly clock: Clock
}

interface Registry {
  readonly identities: IdentityReader
  readonly roleGrants: RoleGrantReader
}

/** Everything that a person may do, whoever asks. */
export async function rolesOf(registry: Pick<Registry, 'roleGrants'>, id: IdentityId): Promise<readonly RoleGrant[]> {
  return joined(await registry.roleGrants.ofIdentity(id))
}

/** The roles of a person that somebody may know of. @throws HubError `identity-not-found` */
export async function knownRoles(registry: Registry, access: Access, id: IdentityId): Promise<readonly RoleGrant[]> {
  await findPerson(registry.identities, id)
  const rows = await registry.roleGrants.ofIdentity(id)
  return joined(rows.filter((row) => access.holdsMore(grantOf(row))))
}

/**
 * Gives a person a role, beside what it has.
 *
 * @returns the roles of the person that the caller may know of
 * @throws HubError `request-invalid`, `identity-not-found`, `identity-retired`, `grant-exceeds`, `keys-too-many`
 */
export async function grantRole(
  hub: Hub,
  access: Access,
  id: IdentityId,
  order: { readonly role: Role; readonly groups: readonly string[]; readonly mayRegister: boolean },
): Promise<readonly RoleGrant[]> {
  const grant = parseRoleGrant(order)
  return hub.store.write(async (tx) => {
    access.toGiven(grant, null)
    const person = await findPerson(tx.identities, id)
    if (person.state === 'retired') throw new HubError('identity-retired', `${quote(id)} is retired and gets no role`)
    const before = await tx.roleGrants.ofIdentity(id)
    const added: RoleGrantRow[] = []
    for (const row of rowsOf(id, grant)) {
      const held = before.find((each) => isSamePlace(each, row))
      if (held?.mayRegister === row.mayRegister) continue
      if (held !== undefined) {
        await tx.roleGrants.remove(held)
        // What is narrower is another grant: after a restore it is to be given again.
        if (held.mayRegister) await tx.events.append(removedEvent(held))
      }
      await tx.roleGrants.insert(row)
      added.push(row)
    }
    const after = await tx.roleGrants.ofIdentity(id)
    if (after.length > limits.groupsReachedMax) {
      throw new HubError('keys-too-many', `${quote(id)} would have roles in ${after.length} groups`)
    }
    if (added.length > 0) await audit(hub, tx, access, 'role.grant', id, before, after)
    return joined(after.filter((row) => access.holdsMore(grantOf(row))))
  })
}

/**
 * Takes a role from a person, in some groups or wholly.
 *
 * @returns the roles that are left, as far as the caller may know of them
 * @throws HubError `request-invalid`, `identity-not-found`, `role-not-held`
 */
export async function withdrawRole(
  hub: Hub,
  access: Access,
  id: IdentityId,
  order: { readonly role: Role; readonly groups: readonly string[] },
): Promise<readonly RoleGrant[]> {
  const wanted = rowsOf(id, parseRoleGrant({ ...order, mayRegister: false }))
  return hub.store.write(async (tx) => {
    await findPerson(tx.identities, id)
    const before = await tx.roleGrants.ofIdentity(id)
    const held = before.filter((row) => wanted.some((each) => isSamePlace(each, row)))
    const reached = held.filter((row) => access.holdsMore(grantOf(row)))
    if (reached.length === 0) throw new HubError('role-not-held', `${quote(id)} is no such ${order.role}`)
    for (const row of reached) {
      await tx.roleGrants.remove(row)
      await tx.events.append(removedEvent(row))
    }
    const after = await tx.roleGrants.ofIdentity(id)
    await audit(hub, tx, access, 'role.withdraw', id, before, after)
    return joined(after.filter((row) => access.holdsMore(grantOf(row))))
  })
}

/** @throws HubError `identity-not-found` */
async function findPerson(identities: IdentityReader, id: IdentityId): Promise<Identity> {
  const identity = await identities.find(id)
  if (identity?.kind === 'user') return identity
  throw new HubError('identity-not-found', `there is no person ${quote(id)}`, {
    hint: 'register one with `handfast user add <id>`',
  })
}

function removedEvent({ identityId, role, group }: RoleGrantRow) {
  return { type: 'role-grant-removed', identityId, role, group } as const
}

async function audit(
  { clock }: Hub,
  tx: Pick<Transaction, 'audit'>,
  access: Access,
  act: string,
  id: IdentityId,
  before: readonly RoleGrantRow[],
  after: readonly RoleGrantRow[],
): Promise<void> {
  const actor = access.caller.actor
  await tx.audit.append({ atMs: clock.nowMs(), actor, act, subject: id, before: joined(before), after: joined(after) })
}

function isSamePlace(a: RoleGrantRow, b: RoleGrantRow): boolean {
  return a.role === b.role && a.group === b.group
}

function grantOf({ role, group, mayRegister }: RoleGrantRow): RoleGrant {
  return { role, groups: group === null ? [] : [group], mayRegister }
}

/** A row for each group. */
function rowsOf(identityId: IdentityId, { role, groups, mayRegister }: RoleGrant): readonly RoleGrantRow[] {
  const places = isBoundToGroups(role) ? groups : [null]
  return places.map((group) => ({ identityId, role, group, mayRegister }))
}

/** Rows that differ in their group alone as one grant, the most powerful role first. */
function joined(rows: readonly RoleGrantRow[]): readonly RoleGrant[] {
  const grants = roles.flatMap((role) =>
    [true, false].map((mayRegister): RoleGrant | null => {
      const some = rows.filter((row) => row.role === role && row.mayRegister === mayRegister)
      const groups = some.flatMap(({ group }) => group ?? []).sort()
      return some.length === 0 ? null : { role, groups, mayRegister }
    }),
  )
  return grants.filter((grant) => grant !== null)
}

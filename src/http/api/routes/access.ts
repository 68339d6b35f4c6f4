/** Routes of keys, of roles, and of oneself. */
import type { ApiKeyView, GrantView, PersonRolesView } from '../../../api-schema/access.ts'
import * as operations from '../../../api-schema/operations/access.ts'
import { actNames } from '../../../core/authorisation/act.ts'
import { hasAct } from '../../../core/authorisation/decide.ts'
import type { RoleGrant } from '../../../core/authorisation/role.ts'
import { parseIdentityId } from '../../../core/identity/id.ts'
import { addKey, findKey, knownKeys, removeKey } from '../../../hub/manage-keys.ts'
import { grantRole, knownRoles, withdrawRole } from '../../../hub/person-roles.ts'
import type { ApiKeyRow } from '../../../hub/ports/grants.ts'
import { type ApiListener, serve } from '../serve.ts'

export function accessRoutes(api: ApiListener): void {
  serve(api, operations.showCaller, async ({ access: { caller } }) => ({
    body: {
      actor: caller.actor,
      roles: caller.grants.map(grantToView),
      endsAt: caller.endsAtMs === null ? null : new Date(caller.endsAtMs).toISOString(),
      acts: actNames.filter((act) => caller.grants.some((grant) => hasAct(grant, act))),
    },
  }))

  serve(api, operations.addKey, async ({ hub, access, body }) => {
    const { row, text } = await addKey(hub, access, body)
    return { body: { key: keyToView(row, hub.clock.nowMs()), secret: text.reveal() } }
  })

  serve(api, operations.listKeys, async ({ hub, access }) => {
    const keys = await knownKeys(hub.store.apiKeys, access)
    return { body: { items: keys.map((row) => keyToView(row, hub.clock.nowMs())) } }
  })

  serve(api, operations.showKey, async ({ hub, access, params }) => ({
    body: keyToView(await findKey(hub.store.apiKeys, access, params.name), hub.clock.nowMs()),
  }))

  serve(api, operations.removeKey, async ({ hub, access, params }) => ({
    body: keyToView(await removeKey(hub, access, params.name), hub.clock.nowMs()),
  }))

  serve(api, operations.showRoles, async ({ hub, access, params }) => {
    const id = parseIdentityId(params.id)
    return { body: rolesToView(id, await knownRoles(hub.store, access, id)) }
  })

  serve(api, operations.grantRole, async ({ hub, access, params, body }) => {
    const id = parseIdentityId(params.id)
    return { body: rolesToView(id, await grantRole(hub, access, id, body)) }
  })

  serve(api, operations.withdrawRole, async ({ hub, access, params, body }) => {
    const id = parseIdentityId(params.id)
    return { body: rolesToView(id, await withdrawRole(hub, access, id, body)) }
  })
}

function grantToView({ role, groups, mayRegister }: RoleGrant): GrantView {
  return { role, groups: [...groups], mayRegister }
}

function rolesToView(id: string, roles: readonly RoleGrant[]): PersonRolesView {
  return { id, roles: roles.map(grantToView) }
}

function keyToView({ name, id, createdAtMs, expiresAtMs, ...grant }: ApiKeyRow, nowMs: number): ApiKeyView {
  return {
    name,
    id,
    ...grantToView(grant),
    state: expiresAtMs !== null && nowMs >= expiresAtMs ? 'ended' : 'active',
    createdAt: new Date(createdAtMs).toISOString(),
    expiresAt: expiresAtMs === null ? null : new Date(expiresAtMs).toISOString(),
  }
}

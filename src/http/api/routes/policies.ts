/** Routes of the policy. */
import * as operations from '../../../api-schema/operations/policies.ts'
import type { PolicyView } from '../../../api-schema/policies.ts'
import { HubError, quote } from '../../../core/errors.ts'
import type { Identity } from '../../../core/identity/identity.ts'
import { activatePolicy, addPolicy, rollBackPolicy, shadowPolicy, unshadowPolicy } from '../../../hub/change-policy.ts'
import { explainPolicy } from '../../../hub/explain-policy.ts'
import type { PolicyRow } from '../../../hub/ports/policies.ts'
import { type ApiListener, serve } from '../serve.ts'

export function policyRoutes(api: ApiListener): void {
  serve(api, operations.listPolicies, async ({ hub, access }) => {
    access.toHub()
    const rows = await hub.store.policies.all()
    return { body: { items: rows.map((row) => ({ ...policyToView(row), source: '' })) } }
  })

  serve(api, operations.showPolicy, async ({ hub, access, params }) => {
    access.toHub()
    const row = await hub.store.policies.find(Number(params.number))
    if (row === null)
      throw new HubError('policy-not-found', `there is no version ${quote(params.number)} of the policy`)
    return { body: policyToView(row) }
  })

  serve(api, operations.showActivePolicy, async ({ hub, access }) => {
    access.toHub()
    return { body: activeView(await hub.store.policies.inState('active')) }
  })

  serve(api, operations.addPolicy, async ({ hub, actor, access, body }) => {
    access.toHub()
    return { body: policyToView(await addPolicy(hub, actor, body)) }
  })

  serve(api, operations.shadowPolicy, async ({ hub, actor, access, params }) => {
    access.toHub()
    return { body: policyToView(await shadowPolicy(hub, actor, Number(params.number))) }
  })

  serve(api, operations.unshadowPolicy, async ({ hub, actor, access }) => {
    access.toHub()
    await unshadowPolicy(hub, actor)
    return { body: activeView(await hub.store.policies.inState('active')) }
  })

  serve(api, operations.activatePolicy, async ({ hub, actor, access, params }) => {
    access.toHub()
    return { body: policyToView(await activatePolicy(hub, actor, Number(params.number))) }
  })

  serve(api, operations.rollBackPolicy, async ({ hub, actor, access }) => {
    access.toHub()
    return { body: activeView(await rollBackPolicy(hub, actor)) }
  })

  serve(api, operations.explainPolicy, async ({ hub, access, query }) => {
    access.toHub()
    const { clientId = null, address = null, version, ...question } = query
    const number = version === undefined ? null : Number(version)
    const reader = access.alsoFor('device.read')
    const mayKnow = (identity: Identity): boolean => reader.reaches(identity)
    const answer = await explainPolicy(hub, { ...question, clientId, address, version: number }, mayKnow)
    return { body: { ...answer, roles: [...answer.roles] } }
  })
}

function activeView(row: PolicyRow | null): { active: PolicyView | null } {
  return { active: row === null ? null : policyToView(row) }
}

function policyToView(row: PolicyRow): PolicyView {
  const iso = (ms: number): string => new Date(ms).toISOString()
  return {
    ...{ number: row.number, state: row.state, note: row.note, createdAt: iso(row.createdAtMs) },
    ...{ createdBy: row.createdBy, changedAt: iso(row.changedAtMs), source: row.source },
    activatedAt: row.activatedAtMs === null ? null : iso(row.activatedAtMs),
  }
}

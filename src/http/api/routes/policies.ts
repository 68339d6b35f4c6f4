/** Routes of the policy. */
import * as operations from '../../../api-schema/operations/policies.ts'
import type { PolicyVersionView, PolicyView, ShadowDifferenceView } from '../../../api-schema/policies.ts'
import type { Identity } from '../../../core/identity/identity.ts'
import {
  type AddedPolicy,
  activatePolicy,
  addPolicy,
  foundPolicy,
  rollBackPolicy,
  shadowPolicy,
  unshadowPolicy,
} from '../../../hub/change-policy.ts'
import { checkPolicy } from '../../../hub/check-policy.ts'
import { explainPolicy } from '../../../hub/explain-policy.ts'
import type { PolicyRow, PolicyVersion } from '../../../hub/ports/policies.ts'
import type { Transaction } from '../../../hub/ports/store.ts'
import type { ShadowDifference, ShadowDifferences } from '../../../hub/shadow-differences.ts'
import { type ApiListener, serve } from '../serve.ts'

export function policyRoutes(api: ApiListener, differences: Pick<ShadowDifferences, 'of'>): void {
  serve(api, operations.listPolicies, async ({ hub, access }) => {
    access.toHub()
    const rows = await hub.store.policies.all()
    return { body: { items: rows.map(versionToView) } }
  })

  serve(api, operations.showPolicy, async ({ hub, access, params }) => {
    access.toHub()
    return { body: policyToView(await foundPolicy(hub.store, Number(params.number))) }
  })

  serve(api, operations.showActivePolicy, async ({ hub, access }) => {
    access.toHub()
    const active = await hub.store.policies.inState('active')
    return { body: { active: active === null ? null : policyToView(active) } }
  })

  serve(api, operations.addPolicy, async ({ hub, actor, access, keep, body }) => {
    access.toHub()
    const answerOf = ({ row, warnings }: AddedPolicy) => ({ body: { ...versionToView(row), warnings: [...warnings] } })
    return answerOf(await addPolicy(hub, actor, body, (tx, added) => keep(tx, answerOf(added))))
  })

  serve(api, operations.checkPolicy, async ({ hub, access, body }) => {
    access.toHub()
    const { problems, failed, warnings } = await checkPolicy(hub, body.source)
    return { body: { problems: [...problems], failed: [...failed], warnings: [...warnings] } }
  })

  serve(api, operations.shadowPolicy, async ({ hub, actor, access, keep, params }) => {
    access.toHub()
    const finish = (tx: Transaction, row: PolicyVersion) => keep(tx, answerOf(row))
    return answerOf(await shadowPolicy(hub, actor, Number(params.number), finish))
  })

  serve(api, operations.unshadowPolicy, async ({ hub, actor, access }) => {
    access.toHub()
    await unshadowPolicy(hub, actor)
    return { body: activeView(await hub.store.policies.inState('active')) }
  })

  serve(api, operations.listShadowDifferences, async ({ hub, access, params }) => {
    access.toHub()
    const number = Number(params.number)
    await foundPolicy(hub.store, number)
    const { items, more } = differences.of(number)
    return { body: { items: items.map(differenceToView), more } }
  })

  serve(api, operations.activatePolicy, async ({ hub, actor, access, keep, params }) => {
    access.toHub()
    const finish = (tx: Transaction, row: PolicyVersion) => keep(tx, answerOf(row))
    return answerOf(await activatePolicy(hub, actor, Number(params.number), finish))
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

function answerOf(row: PolicyVersion): { readonly body: PolicyVersionView } {
  return { body: versionToView(row) }
}

function activeView(row: PolicyVersion | null): { active: PolicyVersionView | null } {
  return { active: row === null ? null : versionToView(row) }
}

function differenceToView(difference: ShadowDifference): ShadowDifferenceView {
  const { active, identity, action, topic, allowed, because, shadowBecause, atMs } = difference
  const [decided, would] = allowed ? (['allow', 'deny'] as const) : (['deny', 'allow'] as const)
  const first = new Date(atMs).toISOString()
  return { identity, action, topic, active, decided, because, would, wouldBecause: shadowBecause, first }
}

function policyToView(row: PolicyRow): PolicyView {
  return { ...versionToView(row), source: row.source }
}

function versionToView(row: PolicyVersion): PolicyVersionView {
  const iso = (ms: number): string => new Date(ms).toISOString()
  return {
    ...{ number: row.number, state: row.state, note: row.note, createdAt: iso(row.createdAtMs) },
    ...{ createdBy: row.createdBy, changedAt: iso(row.changedAtMs) },
    activatedAt: row.activatedAtMs === null ? null : iso(row.activatedAtMs),
  }
}

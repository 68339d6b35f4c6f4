/** Routes of attempts, and of what they are together. */
import * as operations from '../../../api-schema/operations/attempts.ts'
import { HubError, quote } from '../../../core/errors.ts'
import { type FailureName, isFailureName } from '../../../core/failure/catalogue.ts'
import { attemptToView, caseToView, incidentToView } from '../attempts-to-view.ts'
import { type ApiListener, serve } from '../serve.ts'

/** @param flushAttempts writes attempts that still wait, so that a list shows what has just happened */
export function attemptRoutes(api: ApiListener, flushAttempts: () => Promise<void>): void {
  serve(api, operations.listAttempts, async ({ hub, access, query }) => {
    const inGroups = access.groups()
    const { after, limit, outcome, device, code, order, since, from } = query
    const filters = { ...filtersOf(device, code), ...(inGroups === null ? {} : { inGroups }) }
    await flushAttempts()
    const page = await hub.store.attempts.list({
      ...filters,
      after: after ?? null,
      limit,
      order,
      ...(outcome === undefined ? {} : { outcome }),
      ...(since === undefined ? {} : { since }),
      ...(from === undefined ? {} : { fromMs: Date.parse(from) }),
    })
    return { body: { items: page.items.map(attemptToView), next: page.next } }
  })

  serve(api, operations.listCases, async ({ hub, access, query }) => {
    const inGroups = access.groups()
    const { after, limit, device, code, listener, from, standing } = query
    const filters = { ...filtersOf(device, code), ...(inGroups === null ? {} : { inGroups }) }
    await flushAttempts()
    const page = await hub.store.cases.list({
      ...filters,
      after: after ?? null,
      limit,
      standing,
      ...(listener === undefined ? {} : { listener }),
      ...(from === undefined ? {} : { lastFromMs: Date.parse(from) }),
    })
    return { body: { items: page.items.map(caseToView), next: page.next } }
  })

  serve(api, operations.listIncidents, async ({ hub, query: { after, limit, endedFrom } }) => {
    const endedFromMs = endedFrom === undefined ? {} : { endedFromMs: Date.parse(endedFrom) }
    const page = await hub.store.incidents.list({ after: after ?? null, limit, ...endedFromMs })
    return { body: { items: page.items.map(incidentToView), next: page.next } }
  })
}

/** @throws HubError `request-invalid` */
function filtersOf(
  device: string | undefined,
  code: string | undefined,
): { readonly identityId?: string; readonly code?: FailureName } {
  if (code !== undefined && !isFailureName(code)) throw unknownFailure(code)
  return { ...(device === undefined ? {} : { identityId: device }), ...(code === undefined ? {} : { code }) }
}

function unknownFailure(code: string): HubError {
  return new HubError('request-invalid', `${quote(code)} is not a failure`, {
    hint: 'docs/failures.md lists them',
    faults: [{ in: 'query', pointer: '/code', message: 'is not a failure' }],
  })
}

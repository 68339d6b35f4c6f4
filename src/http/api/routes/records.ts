/** Routes of certificates, of what the hub has recorded, and of the hub itself. */
import * as operations from '../../../api-schema/operations/records.ts'
import type { HubView } from '../../../api-schema/views.ts'
import { HubError, quote } from '../../../core/errors.ts'
import { isFailureName } from '../../../core/failure/catalogue.ts'
import { revokeCertificate } from '../../../hub/change-identity.ts'
import { parseSerial } from '../serial.ts'
import { type ApiListener, serve } from '../serve.ts'
import { attemptToView, auditEntryToView } from '../to-view.ts'
import { changed } from './devices.ts'

/** How long a contested renewal stands among what asks for an operator. */
const contestsShownMs = 7 * 86_400_000

export interface Recorded {
  /** Writes attempts that still wait, so that a list shows what has just happened. */
  flushAttempts(): Promise<void>
  /** What `GET /api/v1/hub` answers. */
  describeHub(): HubView
}

export function recordRoutes(api: ApiListener, { flushAttempts, describeHub }: Recorded): void {
  serve(api, operations.revokeCertificate, async ({ hub, actor, params, body }) =>
    changed(await revokeCertificate(hub, actor, parseSerial(params.serial), body.reason)),
  )

  serve(api, operations.listAttempts, async ({ hub, access, query }) => {
    const inGroups = access.groups()
    const { after, limit, outcome, device, code, order, since } = query
    if (code !== undefined && !isFailureName(code)) throw unknownFailure(code)
    await flushAttempts()
    const page = await hub.store.attempts.list({
      after: after ?? null,
      limit,
      order,
      ...(outcome === undefined ? {} : { outcome }),
      ...(device === undefined ? {} : { identityId: device }),
      ...(code === undefined ? {} : { code }),
      ...(since === undefined ? {} : { since }),
      ...(inGroups === null ? {} : { inGroups }),
    })
    return { body: { items: page.items.map(attemptToView), next: page.next } }
  })

  serve(api, operations.listAudit, async ({ hub, query: { after, limit } }) => {
    const page = await hub.store.audit.list({ after: after ?? null, limit })
    return { body: { items: page.items.map(auditEntryToView), next: page.next } }
  })

  serve(api, operations.listAuditChain, async ({ hub, query: { since, limit } }) => {
    // The head is read first, so that entries which come meanwhile do not lie behind it.
    const head = await hub.store.audit.head()
    const entries = await hub.store.audit.after(since, limit)
    return { body: { items: entries.filter(({ number }) => number <= head.number).map(auditEntryToView), head } }
  })

  serve(api, operations.showAuditHead, async ({ hub }) => ({ body: await hub.store.audit.head() }))

  serve(api, operations.showHub, async ({ hub }) => {
    const renewalsContested = await hub.store.renewals.contestsSince(hub.clock.nowMs() - contestsShownMs)
    return { body: { ...describeHub(), renewalsContested } }
  })
}

function unknownFailure(code: string): HubError {
  return new HubError('request-invalid', `${quote(code)} is not a failure`, {
    hint: 'docs/failures.md lists them',
    faults: [{ in: 'query', pointer: '/code', message: 'is not a failure' }],
  })
}

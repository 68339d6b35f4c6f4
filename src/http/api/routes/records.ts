/** Routes of certificates, of what the hub has recorded, and of the hub itself. */
import * as operations from '../../../api-schema/operations/records.ts'
import type { HubView } from '../../../api-schema/views.ts'
import { revokeCertificate } from '../../../hub/change-identity.ts'
import { incidentToView } from '../attempts-to-view.ts'
import { parseSerial } from '../serial.ts'
import { type ApiListener, serve } from '../serve.ts'
import { auditEntryToView } from '../to-view.ts'
import { changed } from './devices.ts'

/** How long a contested renewal stands among what asks for an operator. */
const contestsShownMs = 7 * 86_400_000
/** Incidents that stand there; all are in a list of their own. */
const incidentsShown = 20

export interface Recorded {
  /** What `GET /api/v1/hub` answers. */
  describeHub(): HubView
}

export function recordRoutes(api: ApiListener, { describeHub }: Recorded): void {
  serve(api, operations.revokeCertificate, async ({ hub, actor, params, body }) =>
    changed(await revokeCertificate(hub, actor, parseSerial(params.serial), body.reason)),
  )

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

  serve(api, operations.showHub, async ({ hub, access }) => {
    const renewalsContested = await hub.store.renewals.contestsSince(hub.clock.nowMs() - contestsShownMs)
    const incidents = access.hasAlso('incident.read')
      ? (await hub.store.incidents.standing()).map(incidentToView)
      : null
    return { body: { ...describeHub(), renewalsContested, incidents: incidents?.slice(0, incidentsShown) ?? null } }
  })
}

/** Routes of keys that wait for approval. */
import * as operations from '../../../api-schema/operations/enrolment-requests.ts'
import { parseIdentityId } from '../../../core/identity/id.ts'
import { approveEnrolment, refuseEnrolment } from '../../../hub/approve.ts'
import { waitingRequests } from '../../../hub/waiting-requests.ts'
import { type ApiListener, serve } from '../serve.ts'
import { enrolmentRequestToView } from '../to-view.ts'

export function enrolmentRequestRoutes(api: ApiListener): void {
  serve(api, operations.listEnrolmentRequests, async ({ hub, access, query: { after, limit } }) => {
    const page = await waitingRequests(hub, { after: after ?? null, limit }, access.groups())
    return { body: { items: page.items.map(enrolmentRequestToView), next: page.next } }
  })

  serve(api, operations.approveEnrolment, async ({ hub, actor, params, body }) => {
    const approved = await approveEnrolment(hub, actor, parseIdentityId(params.id), body.words)
    return { body: { requests: [enrolmentRequestToView(approved)] } }
  })

  serve(api, operations.refuseEnrolment, async ({ hub, actor, params, body }) => {
    const refused = await refuseEnrolment(hub, actor, parseIdentityId(params.id), body.words)
    return { body: { requests: refused.map(enrolmentRequestToView) } }
  })
}

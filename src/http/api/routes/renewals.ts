/** Routes of quarantine and of calls to renew. */
import * as operations from '../../../api-schema/operations/renewals.ts'
import type { RenewalCallView } from '../../../api-schema/renewals.ts'
import { parseIdentityId } from '../../../core/identity/id.ts'
import { callRenewals } from '../../../hub/call-renewals.ts'
import { releaseCredential } from '../../../hub/release-credential.ts'
import { parseSerial } from '../serial.ts'
import { type Answered, type ApiListener, serve } from '../serve.ts'
import { versionTag } from '../tags.ts'
import { credentialToView, deviceToView } from '../to-view.ts'

export function renewalRoutes(api: ApiListener): void {
  serve(api, operations.releaseDevice, async ({ hub, actor, params, body }) => {
    const serial = body.serial === undefined ? null : parseSerial(body.serial)
    const released = await releaseCredential(hub, actor, parseIdentityId(params.id), serial)
    return {
      body: {
        device: deviceToView(released.identity),
        released: credentialToView(released.credential),
        superseded: [...released.superseded],
        revoked: [...released.revoked],
      },
      tag: versionTag(released.identity),
    }
  })

  serve(api, operations.callDevice, async ({ hub, actor, params }) => {
    const id = parseIdentityId(params.id)
    return called(id, await callRenewals(hub, actor, { kind: 'identity', id }))
  })

  serve(api, operations.callRenewals, async ({ hub, actor, access, body: { group, authority } }) => {
    if (group !== undefined) {
      access.toGroup(group)
      return called(group, await callRenewals(hub, actor, { kind: 'group', group }))
    }
    const authorityId = authority ?? ''
    // What an authority has signed belongs to no group.
    access.alsoFor('authority.change')
    return called(authorityId, await callRenewals(hub, actor, { kind: 'authority', authorityId }))
  })
}

function called(what: string, atMs: number): Answered<RenewalCallView> {
  return { body: { called: what, issuedBefore: new Date(atMs).toISOString() } }
}

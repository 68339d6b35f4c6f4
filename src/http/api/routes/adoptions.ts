/** Routes of what waits for adoption after a restored backup. */
import * as operations from '../../../api-schema/operations/adoptions.ts'
import { type IdentityId, parseIdentityId } from '../../../core/identity/id.ts'
import { adoptIdentity, adoptionPlans } from '../../../hub/adopt.ts'
import type { Page } from '../../../hub/ports/page.ts'
import type { Adoption, AdoptionReader } from '../../../hub/ports/store.ts'
import { type ApiListener, serve } from '../serve.ts'
import { versionTag } from '../tags.ts'
import { adoptionToView, credentialToView, deviceToView } from '../to-view.ts'

export function adoptionRoutes(api: ApiListener): void {
  serve(api, operations.listAdoptions, async ({ hub, query: { after, limit, device } }) => {
    const { adoptions } = hub.store
    const page =
      device === undefined
        ? await adoptions.list({ after: after ?? null, limit })
        : await onlyOne(adoptions, parseIdentityId(device))
    const plans = await adoptionPlans(hub.store, page.items)
    // Somebody may have revoked or closed since what waited.
    const waiting = plans.filter(({ target, credentials }) => target !== null || credentials.length > 0)
    return { body: { items: waiting.map(adoptionToView), next: page.next } }
  })

  serve(api, operations.adoptDevice, async ({ hub, actor, params }) => {
    const { identity, credentials } = await adoptIdentity(hub, actor, parseIdentityId(params.id))
    return {
      body: { device: deviceToView(identity), credentials: credentials.map(credentialToView) },
      tag: versionTag(identity),
    }
  })
}

async function onlyOne(adoptions: AdoptionReader, id: IdentityId): Promise<Page<Adoption>> {
  const adoption = await adoptions.find(id)
  return { items: adoption === null ? [] : [adoption], next: null }
}

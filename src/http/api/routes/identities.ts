/** Routes of services and people: the same for both. */
import type { IdentityChangeView, IdentityDetailView, IdentityView } from '../../../api-schema/identities.ts'
import {
  createServiceToken,
  type IdentityOperations,
  services,
  users,
} from '../../../api-schema/operations/identities.ts'
import type { BootstrapView, HubView } from '../../../api-schema/views.ts'
import { parseIdentityId } from '../../../core/identity/id.ts'
import type { Identity, IdentityState } from '../../../core/identity/identity.ts'
import { changeIdentityState, type IdentityChange, revokeIdentity } from '../../../hub/change-identity.ts'
import { editIdentity } from '../../../hub/edit-device.ts'
import { findIdentity, grantToken } from '../../../hub/register-device.ts'
import { assertNotHub, registerIdentity } from '../../../hub/register-identity.ts'
import { versionsIn } from '../../entity-tag.ts'
import { grantToView } from '../bootstrap.ts'
import { type Answered, type ApiListener, serve } from '../serve.ts'
import { detailTag, versionTag } from '../tags.ts'
import { credentialToView, identityToView } from '../to-view.ts'

/** Certificates shown with an identity. */
const credentialsShownMax = 100

export function identityRoutes(api: ApiListener, describeHub: () => HubView): void {
  for (const operations of [services, users]) routesOf(api, operations)
  serve(api, createServiceToken, async ({ hub, actor, params, body }): Promise<Answered<BootstrapView>> => {
    const id = parseIdentityId(params.id)
    assertNotHub(id)
    const terms = { profile: body.tokenProfile, needsApproval: body.needsApproval }
    const grant = await grantToken(hub, actor, id, body.tokenLifetimeSec, terms, 'service')
    return { body: grantToView(describeHub(), grant), tag: versionTag(grant.identity) }
  })
}

function routesOf(api: ApiListener, operations: IdentityOperations): void {
  const { kind } = operations

  serve(api, operations.register, async ({ hub, actor, body }) => {
    const { id, group, attributes, dnsNames, ipAddresses, emails, profiles, keyStorage } = body
    const names = { dnsNames, ipAddresses, emails }
    return shown(await registerIdentity(hub, actor, { kind, id, group, attributes, names, profiles, keyStorage }))
  })

  serve(api, operations.list, async ({ hub, query: { after, limit, state, group, idPrefix } }) => {
    const page = await hub.store.identities.list({
      kind,
      after: after ?? null,
      limit,
      ...(state === undefined ? {} : { state }),
      ...(group === undefined ? {} : { group }),
      ...(idPrefix === undefined ? {} : { idPrefix }),
    })
    return { body: { items: page.items.map(identityToView), next: page.next } }
  })

  serve(api, operations.show, async ({ hub, params }): Promise<Answered<IdentityDetailView>> => {
    const identity = await findIdentity(hub.store, kind, parseIdentityId(params.id))
    const page = await hub.store.credentials.listOfIdentity(identity.id, { after: null, limit: credentialsShownMax })
    const credentials = page.items.map(credentialToView)
    return { body: { identity: identityToView(identity), credentials }, tag: detailTag(identity, credentials) }
  })

  serve(api, operations.edit, async ({ hub, actor, params, body, ifMatch }) => {
    return shown(await editIdentity(hub, actor, { kind, id: parseIdentityId(params.id) }, body, versionsIn(ifMatch)))
  })

  const moves: readonly (readonly ['disable' | 'enable' | 'retire', Exclude<IdentityState, 'pending'>])[] = [
    ['disable', 'disabled'],
    ['enable', 'active'],
    ['retire', 'retired'],
  ]
  for (const [act, state] of moves) {
    serve(api, operations[act], async ({ hub, actor, params }) =>
      changed(await changeIdentityState(hub, actor, { kind, id: parseIdentityId(params.id) }, state)),
    )
  }

  serve(api, operations.revoke, async ({ hub, actor, params, body }) =>
    changed(await revokeIdentity(hub, actor, { kind, id: parseIdentityId(params.id) }, body.reason)),
  )
}

function shown(identity: Identity): Answered<IdentityView> {
  return { body: identityToView(identity), tag: versionTag(identity) }
}

function changed({ identity, revoked }: IdentityChange): Answered<IdentityChangeView> {
  const serialNumbers = revoked.map(({ serialNumber }) => serialNumber)
  return { body: { identity: identityToView(identity), revoked: serialNumbers }, tag: versionTag(identity) }
}

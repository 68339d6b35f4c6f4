/** Routes of devices. */
import * as operations from '../../../api-schema/operations/devices.ts'
import type {
  BootstrapView,
  DeviceChangeView,
  DeviceDetailView,
  DeviceView,
  HubView,
} from '../../../api-schema/views.ts'
import { HubError } from '../../../core/errors.ts'
import { parseIdentityId } from '../../../core/identity/id.ts'
import type { IdentityState } from '../../../core/identity/identity.ts'
import type { Access } from '../../../hub/authorise.ts'
import { changeDeviceState, type IdentityChange, revokeDevice } from '../../../hub/change-identity.ts'
import { editDevice } from '../../../hub/edit-device.ts'
import { saysNothing } from '../../../hub/grants.ts'
import { findDevice, grantToken, registerDevice, type TokenGrant } from '../../../hub/register-device.ts'
import { versionsIn } from '../../entity-tag.ts'
import { grantToView } from '../bootstrap.ts'
import { type Answered, type ApiListener, serve } from '../serve.ts'
import { detailTag, versionTag } from '../tags.ts'
import { changeToView, contestToView, credentialToView, deviceToView } from '../to-view.ts'

/** Certificates shown with a device. */
const credentialsShownMax = 100
const contestsShownMax = 10

export function deviceRoutes(api: ApiListener, describeHub: () => HubView): void {
  const granted = (grant: TokenGrant): Answered<BootstrapView> => ({
    body: grantToView(describeHub(), grant),
    tag: versionTag(grant.identity),
  })

  serve(api, operations.registerDevice, async ({ hub, actor, access, body }) => {
    access.toGroup(body.group)
    if (!saysNothing(body)) access.alsoFor('profile.grant').toHub()
    return granted(await told(access, () => registerDevice(hub, actor, body)))
  })

  serve(api, operations.listDevices, async ({ hub, access, query }) => {
    const inGroups = access.groups()
    const { after, limit, state, group, idPrefix, attr } = query
    const page = await hub.store.identities.list({
      kind: 'device',
      after: after ?? null,
      limit,
      ...(state === undefined ? {} : { state }),
      ...(group === undefined ? {} : { group }),
      ...(idPrefix === undefined ? {} : { idPrefix }),
      ...(attr === undefined ? {} : { attributes: attr }),
      ...(inGroups === null ? {} : { inGroups }),
    })
    return { body: { items: page.items.map(deviceToView), next: page.next } }
  })

  serve(api, operations.showDevice, async ({ hub, access, params }): Promise<Answered<DeviceDetailView>> => {
    const id = parseIdentityId(params.id)
    const device = await findDevice(hub.store, id)
    access.toIdentity(device)
    const page = await hub.store.credentials.listOfIdentity(id, { after: null, limit: credentialsShownMax })
    const credentials = page.items.map(credentialToView)
    const contests = (await hub.store.renewals.contestsOf(id, contestsShownMax)).map(contestToView)
    const body = { device: deviceToView(device), credentials, contests }
    return { body, tag: detailTag(device, [credentials, contests]) }
  })

  serve(
    api,
    operations.editDevice,
    async ({ hub, actor, access, params, body, ifMatch }): Promise<Answered<DeviceView>> => {
      if (body.group !== undefined) access.toGroup(body.group)
      if (!saysNothing(body)) access.alsoFor('profile.grant').toHub()
      const allowed = versionsIn(ifMatch)
      const identity = await editDevice(hub, actor, parseIdentityId(params.id), body, allowed)
      return { body: deviceToView(identity), tag: versionTag(identity) }
    },
  )

  serve(api, operations.createToken, async ({ hub, actor, params, body }) =>
    granted(
      await grantToken(hub, actor, parseIdentityId(params.id), body.tokenLifetimeSec, {
        profile: body.tokenProfile,
        needsApproval: body.needsApproval,
      }),
    ),
  )

  const moves: readonly (readonly [typeof operations.disableDevice, Exclude<IdentityState, 'pending'>])[] = [
    [operations.disableDevice, 'disabled'],
    [operations.enableDevice, 'active'],
    [operations.retireDevice, 'retired'],
  ]
  for (const [operation, state] of moves) {
    serve(api, operation, async ({ hub, actor, params }) =>
      changed(await changeDeviceState(hub, actor, parseIdentityId(params.id), state)),
    )
  }

  serve(api, operations.revokeDevice, async ({ hub, actor, params, body }) =>
    changed(await revokeDevice(hub, actor, parseIdentityId(params.id), body.reason)),
  )
}

/** That an id is taken is told to everybody, because an id is never used again; what it is taken by is not. */
async function told<T>(access: Access, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (access.isUnbounded() || !(error instanceof HubError) || error.code !== 'identity-exists') throw error
    throw new HubError('identity-exists', 'the id is taken', { hint: 'choose another id' })
  }
}

/** What a change did, as it is answered. */
export function changed(change: IdentityChange): Answered<DeviceChangeView> {
  return { body: changeToView(change), tag: versionTag(change.identity) }
}

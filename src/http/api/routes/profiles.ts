/** Routes of profiles. */
import * as operations from '../../../api-schema/operations/profiles.ts'
import { type ProfileView, profileFrom, toDefinition, withGiven } from '../../../api-schema/profiles.ts'
import {
  addProfile,
  changeProfile,
  type KnownProfile,
  knownProfile,
  knownProfiles,
  removeProfile,
} from '../../../hub/change-profiles.ts'
import { versionsIn } from '../../entity-tag.ts'
import { type Answered, type ApiListener, serve } from '../serve.ts'

export function profileRoutes(api: ApiListener): void {
  serve(api, operations.listProfiles, async ({ hub, access }) => {
    access.toHub()
    return { body: { items: (await knownProfiles(hub.store)).map(profileToView) } }
  })

  serve(api, operations.showProfile, async ({ hub, access, params }) => {
    access.toHub()
    return answered(await knownProfile(hub.store, params.name))
  })

  serve(api, operations.addProfile, async ({ hub, actor, access, body }) => {
    access.toHub()
    return answered(await addProfile(hub, actor, profileFrom(body)))
  })

  serve(api, operations.changeProfile, async ({ hub, actor, access, params, body, ifMatch }) => {
    access.toHub()
    const change = (before: KnownProfile['profile']) => withGiven(before, body)
    return answered(await changeProfile(hub, actor, params.name, change, versionsIn(ifMatch)))
  })

  serve(api, operations.removeProfile, async ({ hub, actor, access, params }) => {
    access.toHub()
    return { body: profileToView(await removeProfile(hub, actor, params.name)) }
  })
}

function answered(known: KnownProfile): Answered<ProfileView> {
  const body = profileToView(known)
  return { body, tag: `"${body.version}"` }
}

function profileToView({ profile, row }: KnownProfile): ProfileView {
  return {
    builtIn: row === null,
    version: row?.version ?? 1,
    updatedAt: row === null ? null : new Date(row.updatedAtMs).toISOString(),
    definition: toDefinition(profile),
  }
}

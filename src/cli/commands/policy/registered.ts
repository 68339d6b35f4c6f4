/** The identities that a hub knows, for warnings that count them. */
import type { IdentityView } from '../../../api-schema/identities.ts'
import type { DeviceView, PageView } from '../../../api-schema/views.ts'
import { limits } from '../../../core/limits.ts'
import { type Counted, fleetOf } from '../../../core/policy/lint/fleet.ts'
import type { Fleet } from '../../../core/policy/lint/rule.ts'
import type { HubApi } from '../../api-client.ts'

type Registered = Pick<DeviceView | IdentityView, 'id' | 'kind' | 'state' | 'group' | 'attributes'>

/** Devices, services and people, page after page. Who is retired never connects again and counts no more. */
export async function registeredFleet(hub: HubApi): Promise<Fleet> {
  const identities: Counted[] = []
  for (const path of ['/devices', '/services', '/users']) {
    let after: string | undefined
    do {
      const page: PageView<Registered> = await hub.get(path, { limit: limits.pageRowsMax, after })
      for (const { id, kind, state, group, attributes } of page.items) {
        if (state !== 'retired') identities.push({ id, kind, group, attributes })
      }
      after = page.next ?? undefined
    } while (after !== undefined)
  }
  return fleetOf(identities)
}

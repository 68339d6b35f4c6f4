/** Rights of sessions that live, when the policy or an identity is another. */
import type { Identity } from '../core/identity/identity.ts'
import { type CurrentPolicy, changesPolicy } from './current-policy.ts'
import type { HubEvent } from './ports/events.ts'
import type { Log } from './ports/log.ts'
import type { Store } from './ports/store.ts'

export interface RightsFollower {
  noted(event: HubEvent): void
  stop(): void
}

/** How long until what could not be read is read again. */
const againMs = 1_000

/**
 * Has sessions look at their rights anew where an event may have changed them: all of them for the policy, those of one identity
 * for a change of its group or attributes. What cannot be read is read again until it can.
 */
export function followRights(
  hub: { readonly store: Pick<Store, 'identities'>; readonly policy: CurrentPolicy; readonly log: Log },
  sessions: { refreshRights(identity?: Identity): void },
): RightsFollower {
  const waiting = new Set<NodeJS.Timeout>()
  let isStopped = false

  async function follow(event: HubEvent): Promise<void> {
    if (changesPolicy(event)) {
      await hub.policy.refresh()
      sessions.refreshRights()
    } else if (event.type === 'identity-changed') {
      const identity = await hub.store.identities.find(event.identityId)
      if (identity !== null) sessions.refreshRights(identity)
    }
  }

  function noted(event: HubEvent): void {
    if (isStopped) return
    follow(event).catch((error: unknown) => {
      if (isStopped) return
      hub.log.error('rights could not be looked at anew, and are later', { event: event.number, error })
      const timer = setTimeout(() => {
        waiting.delete(timer)
        noted(event)
      }, againMs)
      waiting.add(timer.unref())
    })
  }

  return {
    noted,
    stop() {
      isStopped = true
      for (const timer of waiting) clearTimeout(timer)
    },
  }
}

/** What waits for approval, for whoever decides. */
import { limits } from '../core/limits.ts'
import { isLive } from './enrolment-approval.ts'
import { doByOne, type LeasedWork } from './leased-work.ts'
import type { Clock } from './ports/clock.ts'
import type { EnrolmentRequestRow } from './ports/enrolment-requests.ts'
import type { Log } from './ports/log.ts'
import type { Page, PageQuery } from './ports/page.ts'
import type { Store } from './ports/store.ts'

/**
 * A page of requests that wait, oldest first. Those that have waited too long are left out, so a page may have fewer rows than
 * were asked for, even none, and go on with `next`.
 *
 * @param groups only devices of these groups; null for all
 * @throws HubError `cursor-invalid`
 */
export async function waitingRequests(
  hub: { readonly store: Store; readonly clock: Clock },
  query: PageQuery,
  groups: readonly string[] | null,
): Promise<Page<EnrolmentRequestRow>> {
  const { items, next } = await hub.store.enrolmentRequests.waiting(query)
  const live = items.filter((row) => isLive(row, hub.clock.nowMs()))
  if (groups === null || live.length === 0) return { items: live, next }
  const identities = await hub.store.identities.findAll([...new Set(live.map(({ identityId }) => identityId))])
  const reached = new Set(
    identities.filter(({ group }) => group !== null && groups.includes(group)).map(({ id }) => id),
  )
  return { items: live.filter(({ identityId }) => reached.has(identityId)), next }
}

const everyMs = 3_600_000
/** Transactions in one round: it leaves room for others, and what is left waits for the next. */
const runsInRound = 20

/**
 * Keeps the table short from now on.
 *
 * @param holder names this process among those that share the registry
 */
export function keepRequestsFew(
  hub: { readonly store: Store; readonly clock: Clock; readonly log: Log },
  holder: string,
): LeasedWork {
  return doByOne(hub, { name: 'old enrolment requests', holder }, everyMs, async () => {
    for (let run = 0; run < runsInRound; run += 1) {
      if ((await removeOldRequests(hub)) < limits.enrolmentRequestsRemovedMax) return
    }
  })
}

/** One run of the work that keeps the table short. Returns how many it removed. */
export function removeOldRequests(hub: { readonly store: Store; readonly clock: Clock }): Promise<number> {
  const keptFromMs = hub.clock.nowMs() - limits.enrolmentRequestsKeptSec * 1000
  return hub.store.write((tx) => tx.enrolmentRequests.removeBefore(keptFromMs, limits.enrolmentRequestsRemovedMax))
}

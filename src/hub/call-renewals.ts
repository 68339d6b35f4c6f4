/** An operator's word that certificates are to be renewed now: windows that lay ahead are over. */
import { HubError, quote } from '../core/errors.ts'
import type { Clock } from './ports/clock.ts'
import type { RenewalScope } from './ports/renewals.ts'
import type { Store } from './ports/store.ts'
import { findDevice } from './register-device.ts'

interface Hub {
  readonly store: Store
  readonly clock: Clock
}

/**
 * Calls the certificates of a scope that were issued before now. Devices hear of it when they ask next, so that a fleet comes
 * within the time that `Retry-After` gave it, and not at once.
 *
 * @returns when, in milliseconds since the epoch
 * @throws HubError `identity-not-found`, `not-found`
 */
export async function callRenewals(hub: Hub, actor: string, scope: RenewalScope): Promise<number> {
  return hub.store.write(async (tx) => {
    const atMs = hub.clock.nowMs()
    if (scope.kind === 'identity') await findDevice(tx, scope.id)
    if (scope.kind === 'authority' && !(await tx.authorities.all()).some(({ id }) => id === scope.authorityId)) {
      throw new HubError('not-found', `there is no authority ${quote(scope.authorityId)}`, {
        hint: 'see `handfast ca list` for those that there are',
      })
    }
    await tx.renewals.call(scope, atMs)
    await tx.audit.append({ atMs, actor, act: 'renewal.call', subject: subjectOf(scope), before: null, after: null })
    return atMs
  })
}

function subjectOf(scope: RenewalScope): string {
  switch (scope.kind) {
    case 'identity':
      return scope.id
    case 'group':
      return `group ${scope.group}`
    case 'authority':
      return scope.authorityId
  }
}

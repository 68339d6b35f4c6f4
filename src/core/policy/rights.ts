/**
 * What an identity may do. The gate asks this interface alone, so that a policy language can take the place of the
 * default without a change there.
 */
import type { Credential } from '../identity/credential.ts'
import type { Identity } from '../identity/identity.ts'
import { contains, type TopicFilter, unwrapShared } from '../mqtt/filter.ts'
import type { TopicName } from '../mqtt/topic.ts'

export interface Rights {
  mayPublish(topic: TopicName): boolean
  /** Judges the filter behind `$share/<group>/` where there is one. */
  maySubscribe(filter: TopicFilter): boolean
  /** Whether a message may be delivered, whatever subscription brought it. */
  mayReceive(topic: TopicName): boolean
  mayLeaveWill(topic: TopicName): boolean
}

/**
 * The default policy: everything below `devices/<id>/`, and nothing else. A credential in quarantine has only what lies below
 * `quarantine/<id>/`, which nobody else has: its holder can be reached, and reaches nothing that was the identity's.
 */
export function defaultRights(identity: Pick<Identity, 'id'>, credential: Pick<Credential, 'state'>): Rights {
  return rightsBelow(`${credential.state === 'quarantined' ? 'quarantine' : 'devices'}/${identity.id}/`)
}

function rightsBelow(prefix: string): Rights {
  const allowed = `${prefix}#` as TopicFilter
  const isOwn = (topic: TopicName) => topic.startsWith(prefix)
  return {
    mayPublish: isOwn,
    mayReceive: isOwn,
    mayLeaveWill: isOwn,
    maySubscribe: (filter) => contains(allowed, unwrapShared(filter)),
  }
}

/**
 * What an identity may do with topics on one connection. The gate asks this interface alone: it does not know how policy is
 * written.
 */
import { quote } from '../errors.ts'
import type { Identity } from '../identity/identity.ts'
import { isQuarantined, type Proof } from '../identity/proof.ts'
import { contains, type TopicFilter, unwrapShared } from '../mqtt/filter.ts'
import type { TopicName } from '../mqtt/topic.ts'

/** What a statement may be about. `retain` is asked beside `publish` or `will`, where a message is to be kept. */
export const actions = ['connect', 'publish', 'subscribe', 'receive', 'retain', 'will'] as const
export type Action = (typeof actions)[number]

/** Who connects, and how: all that a decision may depend on. */
export interface Subject {
  readonly identity: Identity
  readonly proof: Proof
  /** As the client sent it, or as the gate chose it. */
  readonly clientId: string
  readonly connection: {
    readonly listener: string
    /** As `peerAddress` gives it. */
    readonly address: string
    /** `TLSv1.2` or `TLSv1.3`; null where there is none. */
    readonly tlsVersion: string | null
  }
}

/** Bounds of a session that the policy sets; null where it sets none and `core/limits` holds alone. */
export interface RightsLimits {
  readonly qosMax: 0 | 1 | 2 | null
  readonly payloadBytesMax: number | null
  readonly publishesPerSecondMax: number | null
  readonly subscriptionsMax: number | null
  readonly sessionsMax: number | null
}

export const noRightsLimits: RightsLimits = {
  qosMax: null,
  payloadBytesMax: null,
  publishesPerSecondMax: null,
  subscriptionsMax: null,
  sessionsMax: null,
}

/** Why something is allowed or denied, for attempts and for operators. */
export interface Decision {
  readonly allowed: boolean
  /** One sentence that names the statement, such as `role own-topics, statement 1 allows it`; holds no secret. */
  readonly because: string
}

export interface Rights {
  readonly limits: RightsLimits
  /** Why the client id is not one that the subject may have, one sentence; null where it may. `mayConnect` heeds it too. */
  readonly clientIdFault: string | null
  /** Whether the session may be there at all, with this client id and at this time. */
  mayConnect(): boolean
  mayPublish(topic: TopicName): boolean
  /** Asked beside `mayPublish` or `mayLeaveWill`. */
  mayRetain(topic: TopicName): boolean
  mayLeaveWill(topic: TopicName): boolean
  /** Judges the filter behind `$share/<group>/` where there is one: all topics that it can match must be allowed. */
  maySubscribe(filter: TopicFilter): boolean
  /** Whether a message may be delivered, whatever subscription brought it. */
  mayReceive(topic: TopicName): boolean
  /**
   * The same once more, with the statement that decides. It may cost more than the questions above.
   *
   * @param topic a topic name, a filter where the action is `subscribe`, empty where it is `connect`
   */
  explain(action: Action, topic: string): Decision
  /** When time alone makes other rights of them, in milliseconds since the epoch; null when it never does. */
  readonly changesAtMs: number | null
}

/**
 * The default policy: everything below `devices/<id>/`, and nothing else. A credential in quarantine has only what lies below
 * `quarantine/<id>/`, which nobody else has: its holder can be reached, and reaches nothing that was the identity's.
 */
export function defaultRights({ identity, proof }: Pick<Subject, 'identity' | 'proof'>): Rights {
  return rightsBelow(`${isQuarantined(proof) ? 'quarantine' : 'devices'}/${identity.id}/`)
}

function rightsBelow(prefix: string): Rights {
  const allowed = `${prefix}#` as TopicFilter
  const isOwn = (topic: string) => topic.startsWith(prefix)
  const maySubscribe = (filter: TopicFilter) => contains(allowed, unwrapShared(filter))
  return {
    limits: noRightsLimits,
    clientIdFault: null,
    mayConnect: () => true,
    mayPublish: isOwn,
    mayRetain: isOwn,
    mayReceive: isOwn,
    mayLeaveWill: isOwn,
    maySubscribe,
    explain(action, topic) {
      const isAllowed =
        action === 'connect' || (action === 'subscribe' ? maySubscribe(topic as TopicFilter) : isOwn(topic))
      return {
        allowed: isAllowed,
        because: `the default policy allows what lies below ${quote(prefix)}, and nothing else`,
      }
    },
    changesAtMs: null,
  }
}

/**
 * Decisions by the statements that apply to one subject. Default deny; a deny wins; the order of statements does not matter.
 *
 * Most sessions ask about one or two actions, so what is needed for an action is built when it is first asked about.
 */
import { contains, matches, parseTopicFilter, type TopicFilter, unwrapShared } from '../mqtt/filter.ts'
import type { TopicName } from '../mqtt/topic.ts'
import { Violation } from '../mqtt/violation.ts'
import type { Held } from './conditions.ts'
import { FilterSet } from './filter-set.ts'
import type { Action, Decision, Rights, RightsLimits } from './rights.ts'

/** A statement as it is for one subject. */
export interface Applicable {
  readonly effect: 'allow' | 'deny'
  readonly actions: readonly Action[]
  /** Filters; null for one with a variable that is not defined. Empty where the statement is about `connect` alone. */
  readonly topics: readonly (string | null)[]
  readonly label: string
  readonly held: Held
  /** Why its conditions do not hold. */
  readonly why: string
}

interface ForAction {
  readonly allowed: FilterSet<string>
  readonly denied: FilterSet<string>
  /** The label of a deny that covers everything, or null. */
  readonly allDenied: string | null
}

export class ApplicableRights implements Rights {
  readonly limits: RightsLimits
  readonly changesAtMs: number | null
  readonly #statements: readonly Applicable[]
  readonly clientIdFault: string | null
  readonly #sets = new Map<Action, ForAction>()
  #publishing: ForAction | null = null
  #receiving: ForAction | null = null

  /** @param clientIdFault why the client id is not one that the subject may have, or null */
  constructor(
    statements: readonly Applicable[],
    limits: RightsLimits,
    clientIdFault: string | null,
    changesAtMs: number | null,
  ) {
    this.#statements = statements
    this.limits = limits
    this.clientIdFault = clientIdFault
    this.changesAtMs = changesAtMs
  }

  mayConnect(): boolean {
    return this.#connectDecision().allowed
  }

  mayPublish(topic: TopicName): boolean {
    this.#publishing ??= this.#setOf('publish')
    return isAllowed(this.#publishing, topic)
  }

  mayReceive(topic: TopicName): boolean {
    this.#receiving ??= this.#setOf('receive')
    return isAllowed(this.#receiving, topic)
  }

  mayRetain(topic: TopicName): boolean {
    return isAllowed(this.#setOf('retain'), topic)
  }

  mayLeaveWill(topic: TopicName): boolean {
    return isAllowed(this.#setOf('will'), topic)
  }

  maySubscribe(filter: TopicFilter): boolean {
    const { allowed, denied, allDenied } = this.#setOf('subscribe')
    const asked = unwrapShared(filter)
    return allDenied === null && denied.overlapping(asked) === null && allowed.containing(asked) !== null
  }

  explain(action: Action, topic: string): Decision {
    switch (action) {
      case 'connect':
        return this.#connectDecision()
      case 'subscribe':
        return this.#subscribeDecision(topic as TopicFilter)
      default: {
        const { allowed, denied, allDenied } = this.#setOf(action)
        return (
          deniedBy(allDenied ?? denied.match(topic)) ??
          allowedBy(allowed.match(topic)) ??
          this.#nobodyAllows(action, (filter) => matches(filter, topic as TopicName))
        )
      }
    }
  }

  #connectDecision(): Decision {
    const about = this.#statements.filter(({ actions }) => actions.includes('connect'))
    const deny = about.find(({ effect, held }) => effect === 'deny' && held !== 'no')
    if (deny !== undefined) return { allowed: false, because: `${deny.label} denies it` }
    if (this.clientIdFault !== null) return { allowed: false, because: this.clientIdFault }
    const allow = about.find(({ effect, held }) => effect === 'allow' && held === 'yes')
    return allowedBy(allow?.label ?? null) ?? this.#nobodyAllows('connect', () => true)
  }

  /**
   * All topics that the filter can match must be allowed by one filter of a statement. What a statement denies for `subscribe`
   * must not be among them; what it denies for `receive` is held back when it is delivered.
   */
  #subscribeDecision(asked: TopicFilter): Decision {
    const filter = unwrapShared(asked)
    const { allowed, denied, allDenied } = this.#setOf('subscribe')
    return (
      deniedBy(allDenied ?? denied.overlapping(filter)) ??
      allowedBy(allowed.containing(filter)) ??
      this.#nobodyAllows('subscribe', (outer) => contains(outer, filter))
    )
  }

  #setOf(action: Action): ForAction {
    const present = this.#sets.get(action)
    if (present !== undefined) return present
    const set = this.#setOfTwin(action) ?? built(this.#statements, action)
    this.#sets.set(action, set)
    return set
  }

  /** Most statements are about several actions at once: what is made for one of them serves the others, and is held once. */
  #setOfTwin(action: Action): ForAction | null {
    for (const [other, set] of this.#sets) {
      if (this.#statements.every(({ actions }) => actions.includes(other) === actions.includes(action))) return set
    }
    return null
  }

  /** Names what is nearest to an allow: a statement whose topics fit and whose conditions do not. */
  #nobodyAllows(action: Action, fits: (filter: TopicFilter) => boolean): Decision {
    for (const { effect, actions, topics, label, held, why } of this.#statements) {
      if (effect !== 'allow' || held === 'yes' || !actions.includes(action)) continue
      const isAbout = action === 'connect' || topics.some((topic) => topic !== null && isFitting(topic, fits))
      if (isAbout) return { allowed: false, because: `no statement allows it; ${label} would, but ${why}` }
    }
    const undefinedOne = this.#statements.find(
      ({ effect, actions, topics }) => effect === 'allow' && actions.includes(action) && topics.includes(null),
    )
    const hint =
      undefinedOne === undefined ? '' : `; ${undefinedOne.label} has a variable that this identity does not define`
    return { allowed: false, because: `no statement allows it${hint}` }
  }
}

function isAllowed({ allowed, denied, allDenied }: ForAction, topic: string): boolean {
  if (allDenied !== null || allowed.match(topic) === null) return false
  return denied.size === 0 || denied.match(topic) === null
}

function built(statements: readonly Applicable[], action: Action): ForAction {
  const [allowed, denied] = [new FilterSet<string>(), new FilterSet<string>()]
  let allDenied: string | null = null
  for (const { effect, actions, topics, label, held } of statements) {
    if (!actions.includes(action)) continue
    if (effect === 'allow') {
      if (held !== 'yes') continue
      for (const topic of topics) {
        const filter = topic === null ? null : parsed(topic)
        if (filter !== null) allowed.add(filter, label)
      }
    } else if (held !== 'no') {
      for (const topic of topics) {
        const filter = topic === null ? null : parsed(topic)
        if (filter === null) allDenied ??= label
        else denied.add(filter, label)
      }
    }
  }
  return { allowed, denied, allDenied }
}

/** Null where values have made something of it that is no filter: too long, too deep. */
function parsed(topic: string): TopicFilter | null {
  const filter = parseTopicFilter(topic)
  return filter instanceof Violation ? null : filter
}

function isFitting(topic: string, fits: (filter: TopicFilter) => boolean): boolean {
  const filter = parsed(topic)
  return filter !== null && fits(filter)
}

function deniedBy(label: string | null): Decision | null {
  return label === null ? null : { allowed: false, because: `${label} denies it` }
}

function allowedBy(label: string | null): Decision | null {
  return label === null ? null : { allowed: true, because: `${label} allows it` }
}

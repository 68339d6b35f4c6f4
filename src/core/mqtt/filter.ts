/** Topic filters (MQTT 5 §4.7, §4.8.2): what a client subscribes to. */
import { limits } from '../limits.ts'
import { reason } from './protocol.ts'
import { type TopicName, tooDeep, tooLong } from './topic.ts'
import { malformed, Violation } from './violation.ts'

declare const topicFilterBrand: unique symbol

/**
 * A topic filter: valid UTF-8 without U+0000, not empty, `#` only as the whole last level, `+` only as a whole level,
 * within the limits on bytes and levels. `$share/<group>/<filter>` has a group without `+` and `#` and a filter.
 */
export type TopicFilter = string & { readonly [topicFilterBrand]: true }

/** The topic filter that a string is; the string is valid Unicode without U+0000 when it came from a packet. */
export function parseTopicFilter(value: string): TopicFilter | Violation {
  const bytes = Buffer.byteLength(value, 'utf8')
  if (bytes === 0) return invalid('the topic filter is empty')
  if (bytes > limits.topicBytesMax) return tooLong(bytes, 'topic filter', reason.filterInvalid)
  if (value.includes('\0') || !value.isWellFormed()) return malformed('the topic filter is not valid Unicode')
  const levels = value.split('/')
  if (levels.length > limits.topicLevelsMax) return tooDeep(levels.length, 'topic filter', reason.filterInvalid)
  const last = levels.length - 1
  for (const [i, level] of levels.entries()) {
    if (level.includes('#') && (level !== '#' || i !== last))
      return invalid('"#" is not the whole last level of a filter')
    if (level.includes('+') && level !== '+') return invalid('"+" is not a whole level of a filter')
  }
  if (levels[0] === '$share') return sharedRefusal(levels) ?? (value as TopicFilter)
  return value as TopicFilter
}

/** MQTT-4.8.2-1 and 4.8.2-2: a group that is not empty and holds no wildcard, then a filter that is not empty. */
function sharedRefusal(levels: readonly string[]): Violation | null {
  const group = levels[1] ?? ''
  if (group === '' || group === '+' || group === '#') return invalid('a shared subscription needs a group name')
  if (levels.length < 3 || (levels.length === 3 && levels[2] === '')) {
    return invalid('a shared subscription needs a filter behind its group')
  }
  return null
}

function invalid(sentence: string): Violation {
  return new Violation('packet-malformed', reason.filterInvalid, sentence)
}

/** True for `$share/<group>/<filter>`. */
export function isShared(filter: TopicFilter): boolean {
  return filter.startsWith('$share/')
}

/** The filter that decides which messages come: what stands behind `$share/<group>/`, or the filter itself. */
export function unwrapShared(filter: TopicFilter): TopicFilter {
  if (!isShared(filter)) return filter
  return filter.slice(filter.indexOf('/', '$share/'.length) + 1) as TopicFilter
}

/**
 * True when a message published to the topic comes to a subscriber of the filter. A filter that starts with a wildcard
 * matches no topic that starts with `$` (MQTT-4.7.2-1). Shared subscriptions are unwrapped by the caller.
 */
export function matches(filter: TopicFilter, topic: TopicName): boolean {
  const wanted = filter.split('/')
  const levels = topic.split('/')
  if (topic.startsWith('$') && isWildcard(wanted[0])) return false
  for (const [i, level] of wanted.entries()) {
    if (level === '#') return true
    if (i >= levels.length || (level !== '+' && level !== levels[i])) return false
  }
  return wanted.length === levels.length
}

/**
 * True when every topic that `asked` matches is matched by `allowed` too: who may read `allowed` may subscribe to
 * `asked`. Both are unwrapped filters.
 */
export function contains(allowed: TopicFilter, asked: TopicFilter): boolean {
  const outer = allowed.split('/')
  const inner = asked.split('/')
  // A leading wildcard of `allowed` excludes $-topics, so it cannot contain a filter that names one.
  if (inner[0]?.startsWith('$') && isWildcard(outer[0])) return false
  for (const [i, level] of outer.entries()) {
    if (level === '#') return true
    const other = inner[i]
    if (other === undefined) return false
    // "#" stands for zero levels too, except at the front, where a topic has at least one.
    if (other === '#') return allowed === '+/#'
    if (level !== '+' && level !== other) return false
  }
  return inner.length === outer.length
}

/** True when some topic is matched by both. Both are unwrapped filters. */
export function overlaps(a: TopicFilter, b: TopicFilter): boolean {
  const [one, other] = [a.split('/'), b.split('/')]
  if (one[0]?.startsWith('$') && isWildcard(other[0])) return false
  if (other[0]?.startsWith('$') && isWildcard(one[0])) return false
  for (let i = 0; ; i++) {
    const [x, y] = [one[i], other[i]]
    if (x === '#' || y === '#') return true
    if (x === undefined || y === undefined) return x === y
    if (x !== y && x !== '+' && y !== '+') return false
  }
}

function isWildcard(level: string | undefined): boolean {
  return level === '+' || level === '#'
}

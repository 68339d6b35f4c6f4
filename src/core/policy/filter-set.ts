/**
 * Many topic filters as one tree of levels, so that a topic is looked up in about as many steps as it has levels, however
 * many filters there are.
 */
import type { TopicFilter } from '../mqtt/filter.ts'

interface Node<Value> {
  /** By level; one map for all nodes that have none, since most are the end of a filter. */
  children: Map<string, Node<Value>>
  /** Below `+`. */
  any: Node<Value> | null
  /** Of the filter that ends here. */
  value: Value | null
  /** Of the filter that goes on here with `#`. */
  below: Value | null
}

/** Of several values for one filter the first that was added stays. */
export class FilterSet<Value> {
  readonly #root: Node<Value> = newNode()
  #size = 0

  get size(): number {
    return this.#size
  }

  add(filter: TopicFilter, value: Value): void {
    this.#size++
    let node = this.#root
    for (const level of filter.split('/')) {
      if (level === '#') {
        node.below ??= value
        return
      }
      node = level === '+' ? anyOf(node) : childOf(node, level)
    }
    node.value ??= value
  }

  /** The value of a filter that matches the topic, or null. */
  match(topic: string): Value | null {
    if (this.#size === 0) return null
    // A filter that begins with a wildcard matches no topic that begins with "$" (MQTT-4.7.2-1).
    if (topic.charCodeAt(0) !== DOLLAR) return found(this.#root, topic, 0)
    const { node, next } = step(this.#root, topic, 0)
    return node === undefined ? null : found(node, topic, next)
  }

  /** The value of one filter that matches every topic that `asked` matches, or null. `asked` is unwrapped. */
  containing(asked: TopicFilter): Value | null {
    if (this.#size === 0) return null
    const levels = asked.split('/')
    if (asked.charCodeAt(0) !== DOLLAR) return containing(this.#root, levels, 0)
    const node = this.#root.children.get(levels[0] ?? '')
    return node === undefined ? null : containing(node, levels, 1)
  }

  /** The values of all filters that match every topic that `asked` matches. `asked` is unwrapped. */
  everyContaining(asked: TopicFilter): readonly Value[] {
    const levels = asked.split('/')
    const values: Value[] = []
    if (asked.charCodeAt(0) !== DOLLAR) addContaining(this.#root, levels, 0, values)
    else {
      const node = this.#root.children.get(levels[0] ?? '')
      if (node !== undefined) addContaining(node, levels, 1, values)
    }
    return values
  }

  /** The value of one filter that matches some topic that `asked` matches too, or null. `asked` is unwrapped. */
  overlapping(asked: TopicFilter): Value | null {
    if (this.#size === 0) return null
    const levels = asked.split('/')
    if (asked.charCodeAt(0) !== DOLLAR) return overlapping(this.#root, levels, 0)
    const node = this.#root.children.get(levels[0] ?? '')
    return node === undefined ? null : overlapping(node, levels, 1)
  }
}

const DOLLAR = 0x24

function newNode<Value>(): Node<Value> {
  return { children: noChildren, any: null, value: null, below: null }
}

/** Nobody adds to it. */
const noChildren = new Map<string, never>()

function anyOf<Value>(node: Node<Value>): Node<Value> {
  node.any ??= newNode()
  return node.any
}

function childOf<Value>(node: Node<Value>, level: string): Node<Value> {
  const present = node.children.get(level)
  if (present !== undefined) return present
  if (node.children === noChildren) node.children = new Map()
  const child = newNode<Value>()
  node.children.set(level, child)
  return child
}

/** The level that begins at `start`, and where the next one does; beyond the topic where it is the last. */
function step<Value>(
  { children }: Node<Value>,
  topic: string,
  start: number,
): { readonly node: Node<Value> | undefined; readonly next: number } {
  const slash = topic.indexOf('/', start)
  const end = slash < 0 ? topic.length : slash
  return { node: children.get(topic.slice(start, end)), next: end + 1 }
}

/** What matches the rest of the topic from `start`, below a node. */
function found<Value>(node: Node<Value>, topic: string, start: number): Value | null {
  if (node.below !== null) return node.below
  // One past its end: all levels of the topic are used.
  if (start > topic.length) return node.value
  const slash = topic.indexOf('/', start)
  const end = slash < 0 ? topic.length : slash
  if (node.children.size > 0) {
    const child = node.children.get(topic.slice(start, end))
    const value = child === undefined ? null : found(child, topic, end + 1)
    if (value !== null) return value
  }
  return node.any === null ? null : found(node.any, topic, end + 1)
}

/** As `contains` of `core/mqtt/filter` decides for one filter. No node is visited twice: its depth says how far the levels are used. */
function containing<Value>(node: Node<Value>, levels: readonly string[], at: number): Value | null {
  // "#" at the front of what was asked is met by "#" and by "+/#": a topic has at least one level.
  if (node.below !== null) return node.below
  const level = levels[at]
  if (level === undefined) return node.value
  if (level === '#') return at === 0 ? (node.any?.below ?? null) : null
  const child = level === '+' ? undefined : node.children.get(level)
  const value = child === undefined ? null : containing(child, levels, at + 1)
  if (value !== null) return value
  return node.any === null ? null : containing(node.any, levels, at + 1)
}

/** The same for all of them. */
function addContaining<Value>(node: Node<Value>, levels: readonly string[], at: number, values: Value[]): void {
  if (node.below !== null) values.push(node.below)
  const level = levels[at]
  const met = level === undefined ? node.value : level === '#' && at === 0 ? (node.any?.below ?? null) : null
  if (met !== null) values.push(met)
  if (level === undefined || level === '#') return
  const child = level === '+' ? undefined : node.children.get(level)
  if (child !== undefined) addContaining(child, levels, at + 1, values)
  if (node.any !== null) addContaining(node.any, levels, at + 1, values)
}

function overlapping<Value>(node: Node<Value>, levels: readonly string[], at: number): Value | null {
  if (node.below !== null) return node.below
  // What stands behind "#" is "#" again.
  const level = levels[at] ?? (levels.at(-1) === '#' ? '#' : undefined)
  if (level === undefined) return node.value
  if (level === '#' && node.value !== null) return node.value
  for (const child of childrenMatching(node, level, at)) {
    const value = overlapping(child, levels, at + 1)
    if (value !== null) return value
  }
  return node.any === null ? null : overlapping(node.any, levels, at + 1)
}

/** Nodes of named levels that a level of a filter matches; a wildcard at the front matches no level that begins with "$". */
function* childrenMatching<Value>({ children }: Node<Value>, level: string, at: number): Generator<Node<Value>> {
  if (level !== '+' && level !== '#') {
    const child = children.get(level)
    if (child !== undefined) yield child
    return
  }
  for (const [name, child] of children) if (at > 0 || name.charCodeAt(0) !== DOLLAR) yield child
}

/**
 * Many topic filters as one tree of levels, so that a topic is looked up in about as many steps as it has levels, however
 * many filters there are.
 */
import type { TopicFilter } from '../mqtt/filter.ts'

interface Node<Value> {
  readonly children: Map<string, Node<Value>>
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
}

const DOLLAR = 0x24

function newNode<Value>(): Node<Value> {
  return { children: new Map(), any: null, value: null, below: null }
}

function anyOf<Value>(node: Node<Value>): Node<Value> {
  node.any ??= newNode()
  return node.any
}

function childOf<Value>(node: Node<Value>, level: string): Node<Value> {
  let child = node.children.get(level)
  if (child === undefined) {
    child = newNode()
    node.children.set(level, child)
  }
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

/** Topic filters in a tree of their levels: finds those that match a topic without trying each. */

interface Node<T, O> {
  readonly children: Map<string, Node<T, O>>
  /** What stands at the filter that ends here, by owner. */
  readonly values: Map<O, T>
}

/** What owners have at filters; who owns something is told by identity. */
export class FilterTree<T, O = string> {
  readonly #root: Node<T, O> = newNode()

  /** Sets what an owner has at a filter. */
  set(filter: string, owner: O, value: T): void {
    let node = this.#root
    for (const level of filter.split('/')) {
      let child = node.children.get(level)
      if (child === undefined) {
        child = newNode()
        node.children.set(level, child)
      }
      node = child
    }
    node.values.set(owner, value)
  }

  delete(filter: string, owner: O): void {
    const levels = filter.split('/')
    const path = [this.#root]
    for (const level of levels) {
      const child = path.at(-1)?.children.get(level)
      if (child === undefined) return
      path.push(child)
    }
    path.at(-1)?.values.delete(owner)
    for (let depth = levels.length; depth > 0; depth--) {
      const node = path[depth]
      if (node === undefined || node.values.size > 0 || node.children.size > 0) return
      path[depth - 1]?.children.delete(levels[depth - 1] ?? '')
    }
  }

  /** Hands over everything at the filters that match a topic; one that starts with `$` by its name only (MQTT-4.7.2-1). */
  match(topic: string, visit: (owner: O, value: T) => void): void {
    walk(this.#root, topic.split('/'), 0, !topic.startsWith('$'), visit)
  }
}

function newNode<T, O>(): Node<T, O> {
  return { children: new Map(), values: new Map() }
}

function walk<T, O>(
  node: Node<T, O>,
  levels: readonly string[],
  depth: number,
  mayBeWild: boolean,
  visit: (owner: O, value: T) => void,
): void {
  // "#" stands for the level above it too (§4.7.1.2).
  if (mayBeWild) node.children.get('#')?.values.forEach((value, owner) => void visit(owner, value))
  const level = levels[depth]
  if (level === undefined) {
    node.values.forEach((value, owner) => void visit(owner, value))
    return
  }
  const exact = node.children.get(level)
  if (exact !== undefined) walk(exact, levels, depth + 1, true, visit)
  const any = mayBeWild ? node.children.get('+') : undefined
  if (any !== undefined) walk(any, levels, depth + 1, true, visit)
}

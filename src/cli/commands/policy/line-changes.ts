/** Which lines of a text stay, go and come. */

export interface LineChange {
  readonly kind: 'same' | 'removed' | 'added'
  readonly text: string
}

/** Pairs of lines that are compared at most: 16 MiB of table. Beyond it, what differs is told as a whole. */
const cellsMax = 4 * 1024 * 1024

/** By the longest common sequence of the lines between what both begin and end with. */
export function lineChanges(before: string, after: string): readonly LineChange[] {
  const [a, b] = [linesOf(before), linesOf(after)]
  const shorter = Math.min(a.length, b.length)
  let head = 0
  while (head < shorter && a[head] === b[head]) head++
  let tail = 0
  while (tail < shorter - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++
  return [
    ...marked('same', a.slice(0, head)),
    ...changesBetween(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...marked('same', a.slice(a.length - tail)),
  ]
}

function changesBetween(a: readonly string[], b: readonly string[]): readonly LineChange[] {
  if (a.length * b.length > cellsMax) return [...marked('removed', a), ...marked('added', b)]
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1))
  const lengthAt = (i: number, j: number): number => lengths[i]?.[j] ?? 0
  for (let i = a.length - 1; i >= 0; i--) {
    const row = lengths[i]
    for (let j = b.length - 1; j >= 0 && row !== undefined; j--) {
      row[j] = a[i] === b[j] ? lengthAt(i + 1, j + 1) + 1 : Math.max(lengthAt(i + 1, j), lengthAt(i, j + 1))
    }
  }
  const changes: LineChange[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      changes.push({ kind: 'same', text: a[i] ?? '' })
      i++
      j++
    } else if (i < a.length && (j === b.length || lengthAt(i + 1, j) >= lengthAt(i, j + 1))) {
      changes.push({ kind: 'removed', text: a[i++] ?? '' })
    } else changes.push({ kind: 'added', text: b[j++] ?? '' })
  }
  return changes
}

function marked(kind: LineChange['kind'], lines: readonly string[]): readonly LineChange[] {
  return lines.map((text) => ({ kind, text }))
}

function linesOf(text: string): readonly string[] {
  const lines = text.split('\n')
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

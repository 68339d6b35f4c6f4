/** Roles without bindings: nobody has them, and nobody may even connect. */
import type { LintRule } from '../rule.ts'

export const nobodyBound: LintRule = {
  name: 'nobody-bound',
  *check({ bindings }) {
    if (bindings.length > 0) return
    yield { line: 1, column: 1, message: 'there are no bindings: with this policy nobody may connect' }
  },
}

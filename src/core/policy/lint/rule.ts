/** What a rule of the policy lint is: it looks at a policy that is valid, and tells what its author hardly meant. */
import type { Binding, Place, Policy } from '../model.ts'

/** A warning. The policy can be taken all the same. */
export interface Finding extends Place {
  /** The name of the rule. */
  readonly rule: string
  /** Lower case, quotes what it is about. */
  readonly message: string
}

/** The identities of a hub, as far as warnings depend on them. */
export interface Fleet {
  /** How many identities a binding reaches. */
  countOf(to: Binding['to']): number
  /** Names of all attributes that somebody has. */
  readonly attributeNames: ReadonlySet<string>
}

export interface LintRule {
  readonly name: string
  /** @param fleet null where no registry is at hand */
  check(policy: Policy, fleet: Fleet | null, nowMs: number): Iterable<Omit<Finding, 'rule'>>
}

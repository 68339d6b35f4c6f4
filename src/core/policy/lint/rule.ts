/** What a rule of the policy lint is: it looks at a policy that is valid, and tells what its author hardly meant. */
import type { AnchorState } from '../../identification/anchor.ts'
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

/** What a hub knows that warnings depend on; each null where it is not at hand. */
export interface Surroundings {
  readonly fleet: Fleet | null
  /** Trust anchors by id. */
  readonly anchors: ReadonlyMap<string, AnchorState> | null
}

export interface LintRule {
  readonly name: string
  check(policy: Policy, surroundings: Surroundings, nowMs: number): Iterable<Omit<Finding, 'rule'>>
}

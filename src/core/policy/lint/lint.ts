/** The look at a valid policy for what its author hardly meant. Warnings; they keep nobody from taking it. */
import type { Policy } from '../model.ts'
import type { Finding, Fleet, LintRule } from './rule.ts'
import { neverMatches } from './rules/never-matches.ts'
import { nobodyBound } from './rules/nobody-bound.ts'
import { serialReference } from './rules/serial-reference.ts'
import { shadowed } from './rules/shadowed.ts'
import { undefinedAttribute } from './rules/undefined-attribute.ts'
import { wideGrant } from './rules/wide-grant.ts'

export const policyLintRules: readonly LintRule[] = [
  nobodyBound,
  serialReference,
  wideGrant,
  neverMatches,
  shadowed,
  undefinedAttribute,
]

/**
 * What every rule finds, in the order of the file.
 *
 * @param fleet whom the bindings reach; null where no registry is at hand, and rules that count are quieter
 */
export function lintPolicy(policy: Policy, fleet: Fleet | null, nowMs: number): readonly Finding[] {
  return policyLintRules
    .flatMap(({ name, check }) => [...check(policy, fleet, nowMs)].map((finding) => ({ ...finding, rule: name })))
    .toSorted((a, b) => a.line - b.line || a.column - b.column)
}

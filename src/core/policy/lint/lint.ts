/** The look at a valid policy for what its author hardly meant. Warnings; they keep nobody from taking it. */
import type { Policy } from '../model.ts'
import type { Finding, LintRule, Surroundings } from './rule.ts'
import { neverMatches } from './rules/never-matches.ts'
import { nobodyBound } from './rules/nobody-bound.ts'
import { serialReference } from './rules/serial-reference.ts'
import { shadowed } from './rules/shadowed.ts'
import { undefinedAttribute } from './rules/undefined-attribute.ts'
import { unknownAnchor } from './rules/unknown-anchor.ts'
import { wideGrant } from './rules/wide-grant.ts'

export const policyLintRules: readonly LintRule[] = [
  nobodyBound,
  serialReference,
  wideGrant,
  neverMatches,
  shadowed,
  undefinedAttribute,
  unknownAnchor,
]

/** Nothing but the file itself. */
export const nothingKnown: Surroundings = { fleet: null, anchors: null }

/**
 * What every rule finds, in the order of the file.
 *
 * @param surroundings where no registry is at hand, rules that ask for it are quieter
 */
export function lintPolicy(policy: Policy, surroundings: Surroundings, nowMs: number): readonly Finding[] {
  return policyLintRules
    .flatMap(({ name, check }) =>
      [...check(policy, surroundings, nowMs)].map((finding) => ({ ...finding, rule: name })),
    )
    .toSorted((a, b) => a.line - b.line || a.column - b.column)
}

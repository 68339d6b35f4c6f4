/** Identification rules that name a trust anchor that there is not, or that opens nothing: they are about no certificate. */
import { quote } from '../../../errors.ts'
import { nearest } from '../../../nearest.ts'
import type { LintRule } from '../rule.ts'

export const unknownAnchor: LintRule = {
  name: 'unknown-anchor',
  *check({ identify }, { anchors }) {
    if (anchors === null) return
    for (const { name, anchors: named, place } of identify) {
      for (const id of named) {
        const state = anchors.get(id)
        if (state === 'trusted') continue
        const near = state === undefined ? nearest(id, [...anchors.keys()]) : null
        const meant = near === null ? '' : `; did you mean ${quote(near)}?`
        const is = state === undefined ? 'which there is not' : `which is ${state}`
        yield { ...place, message: `the rule ${quote(name)} names the trust anchor ${quote(id)}, ${is}${meant}` }
      }
    }
  },
}

/** Everything, to more than one: `#` or wildcards alone give each identity what belongs to all others. */
import { quote } from '../../../errors.ts'
import { audience, givenRoles } from '../roles.ts'
import type { LintRule } from '../rule.ts'
import { boundTopic } from '../shapes.ts'

export const wideGrant: LintRule = {
  name: 'wide-grant',
  *check(policy, { fleet }) {
    for (const { role, bound, binding } of givenRoles(policy)) {
      const { to } = binding
      const count = fleet?.countOf(to) ?? (to.kind === 'identities' ? to.ids.length : null)
      if (count !== null && count < 2) continue
      const whom = `${audience(to)}${fleet === null ? '' : ` (${count} identities)`}`
      for (const { effect, actions, topics, place } of role.statements) {
        if (effect === 'deny') continue
        const topic = topics.map((each) => boundTopic(each, role, bound)).find(isWide)
        if (topic === undefined) continue
        // A role that is ready-made has no place of its own.
        const at = place.line === 0 ? binding.place : place
        yield { ...at, message: `the role ${role.name} grants ${actions.join(', ')} on ${quote(topic)} to ${whom}` }
      }
    }
  },
}

function isWide(topic: string): boolean {
  return topic.split('/').every((level) => level === '+' || level === '#')
}

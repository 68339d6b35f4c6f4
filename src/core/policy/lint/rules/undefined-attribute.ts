/** Attributes that nobody has: an allow that names one never matches, and a deny that names one denies all it is about. */
import { quote } from '../../../errors.ts'
import { nearest } from '../../../nearest.ts'
import type { Policy, Statement } from '../../model.ts'
import { givenRoles } from '../roles.ts'
import type { Fleet, LintRule } from '../rule.ts'
import { boundTopic } from '../shapes.ts'

export const undefinedAttribute: LintRule = {
  name: 'undefined-attribute',
  *check(policy, { fleet }) {
    const known = knownNames(policy, fleet)
    // Who writes no subjects and asks no hub is not told of each attribute.
    if (known === null) return
    const told = new Set<string>()
    for (const { role, bound, binding } of givenRoles(policy)) {
      for (const statement of role.statements) {
        const topics = statement.topics.map((topic) => boundTopic(topic, role, bound))
        for (const name of attributesOf({ ...statement, topics })) {
          const at = statement.place.line === 0 ? binding.place : statement.place
          const key = `${at.line}:${at.column} ${name}`
          if (known.has(name) || told.has(key)) continue
          told.add(key)
          const { effect, actions } = statement
          const follows =
            effect === 'allow' ? 'what names it allows nothing' : `it denies ${actions.join(', ')} altogether`
          const near = nearest(name, [...known])
          const meant = near === null ? '' : `; did you mean ${quote(near)}?`
          const who = fleet === null ? 'no subject of this file' : 'no identity'
          yield { ...at, message: `${who} has the attribute ${quote(name)}, so ${follows}${meant}` }
        }
      }
    }
  },
}

function knownNames({ subjects }: Policy, fleet: Fleet | null): ReadonlySet<string> | null {
  if (fleet !== null) return fleet.attributeNames
  if (subjects.size === 0) return null
  return new Set([...subjects.values()].flatMap(({ attributes }) => Object.keys(attributes)))
}

function attributesOf({ topics, when }: Statement): ReadonlySet<string> {
  const inTopics = topics.flatMap((topic) => [...topic.matchAll(/\$\{identity\.attr\.([^}]*)\}/g)])
  return new Set([...inTopics.map(([, name]) => name ?? ''), ...(when.attributes?.keys() ?? [])])
}

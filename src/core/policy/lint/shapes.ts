/** Topics of a policy before anybody is known: what is certain about them whoever connects. */
import { parseTopicFilter, type TopicFilter } from '../../mqtt/filter.ts'
import { Violation } from '../../mqtt/violation.ts'
import type { BoundRole, Role } from '../model.ts'

/** Stands where a variable begins: a level with one is like no written level, and like itself wherever it stands. */
const variableMark = '\u{e000}'

/**
 * The topic as a filter whose variables are words of their own. What holds of shapes (one contains another) holds of the filters
 * that are made of them, whoever connects: a variable stands for a part of one level.
 *
 * @returns null for one with a parameter of the role, which may stand for several levels and wildcards
 */
export function shapeOf(topic: string): TopicFilter | null {
  if (topic.includes('${role.')) return null
  const parsed = parseTopicFilter(topic.replaceAll('${', `${variableMark}{`))
  return parsed instanceof Violation ? null : parsed
}

/** The topic with what a binding sets, or the role itself, for its parameters; other variables stay. */
export function boundTopic(topic: string, role: Role, { parameters }: Pick<BoundRole, 'parameters'>): string {
  return topic.replaceAll(/\$\{role\.([^}]*)\}/g, (whole, name: string) => {
    return parameters.get(name) ?? role.parameters.get(name) ?? whole
  })
}

/** What a policy file says of itself: decisions that must come out as it expects. */
import { quote } from '../../errors.ts'
import { identityKinds, isIdentityId } from '../../identity/id.ts'
import { parseTopicFilter } from '../../mqtt/filter.ts'
import { parseTopicName } from '../../mqtt/topic.ts'
import { Violation } from '../../mqtt/violation.ts'
import { nearest } from '../../nearest.ts'
import type { Expectation, TestSubject } from '../model.ts'
import { actions } from '../rights.ts'
import type { Field, NodeReader } from './node-reader.ts'

export function readSubjects({ value, key }: Field, reader: NodeReader): ReadonlyMap<string, TestSubject> {
  const subjects = new Map<string, TestSubject>()
  for (const { name: id, key: at, value: given } of reader.fields(value, 'subjects', null, key)) {
    if (!isIdentityId(id)) reader.fail(at, `${quote(id)} is no id of an identity`)
    const fields = reader.fields(given, `the subject ${id}`, ['kind', 'group', 'attributes'], at)
    const field = (wanted: string): Field | undefined => fields.find(({ name }) => name === wanted)
    const [kind, group, attributes] = [field('kind'), field('group'), field('attributes')]
    subjects.set(id, {
      id,
      kind:
        (kind === undefined ? null : reader.word(kind.value, identityKinds, 'kind of identity', kind.key)) ?? 'device',
      group: group === undefined ? null : reader.text(group.value, 'a group', group.key),
      attributes: Object.fromEntries(
        reader
          .fields(attributes?.value, 'attributes', null, at)
          .map((each) => [each.name, reader.text(each.value, each.name, each.key) ?? '']),
      ),
    })
  }
  return subjects
}

export function readExpectations({ value, key }: Field, reader: NodeReader): readonly Expectation[] {
  return reader.texts(value, 'an expectation', key).flatMap(({ text, place }): Expectation | readonly [] => {
    const match = /^(\S+) (\S+)(?: (.*?))? => (\S+)$/.exec(text.trim())
    if (match === null) {
      reader.fail(place, `${quote(text)} is no expectation, as in \`pump-7 publish lines/3/cmd => deny\``)
      return []
    }
    const [, subject = '', action = '', topic = '', verdict = ''] = match
    const known = actions.find((each) => each === action)
    const fault = faultOf(known, action, topic, verdict)
    if (fault !== null || known === undefined) {
      reader.fail(place, fault ?? '')
      return []
    }
    return { subject, action: known, topic, allowed: verdict === 'allow', place }
  })
}

function faultOf(known: string | undefined, action: string, topic: string, verdict: string): string | null {
  if (known === undefined) {
    const near = nearest(action, actions)
    return `${quote(action)} is no action; ${near === null ? `there are ${actions.join(', ')}` : `did you mean ${quote(near)}?`}`
  }
  if (verdict !== 'allow' && verdict !== 'deny') return `${quote(verdict)} is neither allow nor deny`
  if (known === 'connect') return topic === '' ? null : `${quote(topic)} stands behind connect, which has no topic`
  const parsed = known === 'subscribe' ? parseTopicFilter(topic) : parseTopicName(topic)
  return parsed instanceof Violation ? `${quote(topic)}: ${parsed.sentence}` : null
}

/** The identification rules of a policy file. */
import { quote } from '../../errors.ts'
import { ruleFault } from '../../identification/identify.ts'
import { type IdentificationRule, nameSources, unknownActs } from '../model.ts'
import type { Field, Given, NodeReader } from './node-reader.ts'
import { isName } from './role.ts'

const names = ['name', 'anchors', 'listeners', 'from', 'match', 'anyCertificate', 'identity', 'onUnknown', 'group']

export function readIdentify({ value, key }: Field, reader: NodeReader): readonly IdentificationRule[] {
  const rules = reader.items(value).flatMap((item) => readRule(item, key, reader) ?? [])
  const seen = new Set<string>()
  for (const { name, place } of rules) {
    if (seen.has(name)) reader.fail(place, `there are two rules ${quote(name)}`)
    seen.add(name)
  }
  return rules
}

function readRule(node: Given, at: Field['key'], reader: NodeReader): IdentificationRule | null {
  const place = reader.placeOf(node, at)
  const fields = reader.fields(node, 'an identification rule', names, place)
  const field = (wanted: string): Field | undefined => fields.find(({ name }) => name === wanted)
  const text = (wanted: string): string | null => {
    const given = field(wanted)
    return given === undefined ? null : reader.text(given.value, wanted, given.key)
  }
  const texts = (wanted: string): readonly string[] => {
    const given = field(wanted)
    return given === undefined ? [] : reader.texts(given.value, wanted, given.key).map((each) => each.text)
  }
  const problemsBefore = reader.problems.length
  const name = text('name') ?? ''
  if (!isName(name))
    reader.fail(place, `a rule has a name of lower-case letters, digits and "-", and not ${quote(name)}`)
  const anchors = texts('anchors')
  if (anchors.length === 0)
    reader.fail(place, `the rule ${quote(name)} is bound to no trust anchor; name some in \`anchors\``)
  const [from, match, any] = [field('from'), text('match'), text('anyCertificate')]
  const source = from === undefined ? null : reader.word(from.value, nameSources, 'field of a certificate', from.key)
  if (any !== null && any !== 'true') reader.fail(place, '`anyCertificate` is true, or left out')
  if (any === null && from === undefined) {
    reader.fail(
      place,
      `the rule ${quote(name)} says neither \`from\` which field a name comes, nor \`anyCertificate: true\``,
    )
  }
  if (any !== null && (from !== undefined || match !== null)) {
    reader.fail(place, '`anyCertificate` does not go with `from` and `match`')
  }
  if (from !== undefined && match === null) reader.fail(place, `the rule ${quote(name)} has no \`match\``)
  const identity = text('identity') ?? ''
  if (identity === '') reader.fail(place, `the rule ${quote(name)} does not say which \`identity\` it finds`)
  const unknown = field('onUnknown')
  const onUnknown = unknown === undefined ? 'deny' : reader.word(unknown.value, unknownActs, 'act', unknown.key)
  if (reader.problems.length > problemsBefore) return null
  const rule = {
    ...{ name, anchors, listeners: texts('listeners'), from: source, match, identity },
    ...{ onUnknown: onUnknown ?? 'deny', group: text('group'), place },
  }
  const fault = ruleFault(rule)
  if (fault === null) return rule
  reader.fail(place, fault)
  return null
}

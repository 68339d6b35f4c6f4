/** The roles of a policy file: parameters, statements and limits. */
import { quote } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { parseTopicFilter } from '../../mqtt/filter.ts'
import { Violation } from '../../mqtt/violation.ts'
import type { Place, Role, RoleLimits, Statement } from '../model.ts'
import { type Action, actions } from '../rights.ts'
import { readConditions } from './conditions.ts'
import type { Field, Given, NodeReader } from './node-reader.ts'
import { isTemplate } from './template-text.ts'

export function isName(text: string): boolean {
  return /^[a-z][a-z0-9-]{0,63}$/.test(text)
}

export function readRole({ name, key, value }: Field, reader: NodeReader): Role {
  const what = `the role ${name}`
  const fields = reader.fields(value, what, ['parameters', 'statements', 'limits'], key)
  const field = (wanted: string): Field =>
    fields.find((each) => each.name === wanted) ?? { name: wanted, key, value: null }
  const parameters = readParameters(field('parameters'), reader)
  const names = [...parameters.keys()]
  const { value: list, key: at } = field('statements')
  const statements = reader.items(list).flatMap((item) => readStatement(item, at, names, reader) ?? [])
  if (statements.length > limits.policyStatementsMax) {
    reader.fail(at, `${statements.length} statements in one role are more than ${limits.policyStatementsMax}`)
  }
  return { name, parameters, statements, limits: readLimits(field('limits'), names, reader) }
}

function readParameters({ value, key }: Field, reader: NodeReader): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>()
  for (const field of reader.fields(value, 'parameters', null, key)) {
    const text = reader.text(field.value, `the parameter ${field.name}`, field.key)
    if (!isName(field.name)) reader.fail(field.key, `${quote(field.name)} is no name of a parameter`)
    else if (text !== null && isTemplate(text, reader.placeOf(field.value, field.key), [], reader)) {
      parameters.set(field.name, text)
    }
  }
  return parameters
}

function readStatement(node: Given, at: Place, parameters: readonly string[], reader: NodeReader): Statement | null {
  const place = reader.placeOf(node, at)
  const fields = reader.fields(node, 'a statement', ['allow', 'deny', 'topics', 'when'], place)
  const field = (wanted: string): Field | undefined => fields.find(({ name }) => name === wanted)
  const [allow, deny] = [field('allow'), field('deny')]
  const about = allow ?? deny
  if (about === undefined || (allow !== undefined && deny !== undefined)) {
    reader.fail(place, 'a statement has either `allow` or `deny`, with a list of actions')
    return null
  }
  const named = reader.words(about.value, actions, 'action', about.key)
  if (named.length === 0 && reader.items(about.value).length === 0) {
    reader.fail(about.key, `a statement names no action; there are ${actions.join(', ')}`)
  }
  const given = field('topics')
  const topics = readTopics(given, parameters, reader)
  const wantsTopics = named.some((action) => action !== 'connect')
  if (wantsTopics && reader.items(given?.value).length === 0)
    reader.fail(place, 'a statement about more than `connect` names no topics')
  const when = field('when')
  return {
    effect: allow === undefined ? 'deny' : 'allow',
    actions: [...new Set<Action>(named)],
    topics,
    when: when === undefined ? {} : readConditions(when, reader),
    place,
  }
}

function readTopics(field: Field | undefined, parameters: readonly string[], reader: NodeReader): readonly string[] {
  if (field === undefined) return []
  return reader.texts(field.value, 'a topic', field.key).flatMap(({ text, place }) => {
    if (!isTemplate(text, place, parameters, reader)) return []
    // A variable stands for a part of one level, which a letter stands for here.
    const shape = parseTopicFilter(text.replaceAll(/\$\{[^}]*\}/g, 'x'))
    if (shape instanceof Violation) {
      reader.fail(place, `${quote(text)} is no topic filter: ${shape.sentence}`)
      return []
    }
    if (text.startsWith('$share/')) {
      reader.fail(place, `${quote(text)} is a shared subscription; name the filter behind its group`)
      return []
    }
    return text
  })
}

const limitFields = ['qos', 'payloadBytes', 'publishesPerSecond', 'subscriptions', 'sessions', 'clientId']

function readLimits({ value, key }: Field, parameters: readonly string[], reader: NodeReader): RoleLimits {
  const read: { -readonly [Name in keyof RoleLimits]: RoleLimits[Name] } = {}
  for (const { name, key: at, value: given } of reader.fields(value, 'limits', limitFields, key)) {
    const whole = (least: number, most: number): number => reader.whole(given, [least, most], name, at) ?? least
    switch (name) {
      case 'qos':
        read.qosMax = whole(0, 2) as 0 | 1 | 2
        break
      case 'payloadBytes':
        read.payloadBytesMax = whole(0, limits.packetBytesMax)
        break
      case 'publishesPerSecond':
        read.publishesPerSecondMax = whole(1, 1_000_000)
        break
      case 'subscriptions':
        read.subscriptionsMax = whole(0, limits.subscriptionsPerSessionMax)
        break
      case 'sessions':
        read.sessionsMax = whole(1, limits.sessionsPerIdentityMax)
        break
      default: {
        const text = reader.text(given, name, at)
        if (text !== null && isTemplate(text, reader.placeOf(given, at), parameters, reader)) read.clientId = text
      }
    }
  }
  return read
}

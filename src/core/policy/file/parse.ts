/** Reads a policy file (YAML 1.2) into a policy, or says everything that is wrong with it. */
import { LineCounter, parseDocument } from 'yaml'
import { quote } from '../../errors.ts'
import { identityKinds, isIdentityId } from '../../identity/id.ts'
import { limits } from '../../limits.ts'
import { nearest } from '../../nearest.ts'
import type { Binding, BoundRole, Place, Policy, Role } from '../model.ts'
import { readyMadeRoles } from '../ready-made.ts'
import { readExpectations, readSubjects } from './expectations.ts'
import { readIdentify } from './identify.ts'
import { type Field, type Given, NodeReader } from './node-reader.ts'
import { type Problem, policyInvalid } from './problems.ts'
import { isName, readRole } from './role.ts'
import { isTemplate } from './template-text.ts'

export interface ReadPolicy {
  /** What could be read; whole only where there are no problems. */
  readonly policy: Policy
  readonly problems: readonly Problem[]
}

/** @throws HubError `policy-invalid`, with every problem and its place */
export function parsePolicy(source: string): Policy {
  const { policy, problems } = readPolicy(source)
  if (problems.length > 0) throw policyInvalid(problems)
  return policy
}

const nothing: Policy = { identify: [], roles: new Map(), bindings: [], subjects: new Map(), expectations: [] }
const start: Place = { line: 1, column: 1 }

export function readPolicy(source: string): ReadPolicy {
  const bytes = Buffer.byteLength(source)
  if (bytes > limits.policyBytesMax) {
    const message = `the policy takes ${bytes} bytes, more than ${limits.policyBytesMax}`
    return { policy: nothing, problems: [{ ...start, message }] }
  }
  // Whatever is wrong with it is told, and a key must not be.
  if (source.includes('PRIVATE KEY-----')) {
    return { policy: nothing, problems: [{ ...start, message: 'the file holds a private key and no policy' }] }
  }
  const lines = new LineCounter()
  const reader = new NodeReader(lines)
  const contents = parsed(source, lines, reader)
  if (reader.problems.length > 0) return { policy: nothing, problems: reader.problems }
  const policy = readTop(contents, reader)
  return { policy, problems: reader.problems.toSorted((a, b) => a.line - b.line || a.column - b.column) }
}

function parsed(source: string, lines: LineCounter, reader: NodeReader): Given {
  try {
    const document = parseDocument(source, {
      lineCounter: lines,
      version: '1.2',
      uniqueKeys: true,
      prettyErrors: false,
    })
    // A file of another kind has mistakes without end, and whole pages of it stand in their messages.
    for (const { pos, message } of document.errors.slice(0, yamlProblemsMax)) {
      reader.fail(reader.placeAt(pos[0]), yamlMessage(message))
    }
    return document.contents
  } catch (error) {
    // Brackets within brackets, thousands deep.
    if (!(error instanceof RangeError)) throw error
    reader.fail(start, 'the file is nested too deeply')
    return null
  }
}

/** Mistakes in the YAML itself that are told. */
const yamlProblemsMax = 10
const yamlMessageCharsMax = 100

function yamlMessage(message: string): string {
  const line = `${message.slice(0, 1).toLowerCase()}${message.slice(1)}`.replaceAll(/\s+/g, ' ')
  return line.length <= yamlMessageCharsMax ? line : `${line.slice(0, yamlMessageCharsMax)}…`
}

const sections = ['identify', 'roles', 'bindings', 'subjects', 'expect'] as const

function readTop(contents: Given, reader: NodeReader): Policy {
  const fields = reader.fields(contents, 'a policy', sections, start)
  if (fields.length === 0 && reader.problems.length === 0) {
    reader.fail(start, `the policy is empty; it has the sections ${sections.join(', ')}`)
  }
  const section = (name: (typeof sections)[number]): Field =>
    fields.find((field) => field.name === name) ?? { name, key: start, value: null }
  const roles = readRoles(section('roles'), reader)
  return {
    identify: readIdentify(section('identify'), reader),
    roles,
    bindings: readBindings(section('bindings'), roles, reader),
    subjects: readSubjects(section('subjects'), reader),
    expectations: readExpectations(section('expect'), reader),
  }
}

function readRoles({ value, key }: Field, reader: NodeReader): ReadonlyMap<string, Role> {
  const roles = new Map<string, Role>()
  for (const field of reader.fields(value, 'roles', null, key)) {
    if (!isName(field.name)) {
      reader.fail(
        field.key,
        `${quote(field.name)} is no name of a role: lower-case letters, digits and "-", a letter first`,
      )
    } else if (field.name === 'quarantine') {
      reader.fail(field.key, 'the role "quarantine" is what it is: a certificate in quarantine has nothing else')
    } else roles.set(field.name, readRole(field, reader))
  }
  if (roles.size > limits.policyRolesMax) reader.fail(key, `${roles.size} roles are more than ${limits.policyRolesMax}`)
  return roles
}

function readBindings({ value, key }: Field, roles: ReadonlyMap<string, Role>, reader: NodeReader): readonly Binding[] {
  return reader.items(value).flatMap((item): Binding | readonly [] => {
    const place = reader.placeOf(item, key)
    const fields = reader.fields(item, 'a binding', ['roles', 'to'], place)
    const given = fields.find(({ name }) => name === 'roles')
    const to = fields.find(({ name }) => name === 'to')
    if (given === undefined) reader.fail(place, 'a binding names no roles')
    if (to === undefined)
      reader.fail(place, 'a binding does not say to whom; write `to: everyone`, or a group, an identity or a kind')
    if (given === undefined || to === undefined) return []
    const bound = reader.items(given.value).flatMap((each) => readBoundRole(each, given.key, roles, reader) ?? [])
    const target = readTarget(to, reader)
    return target === null ? [] : { roles: bound, to: target, place }
  })
}

function readBoundRole(node: Given, at: Place, roles: ReadonlyMap<string, Role>, reader: NodeReader): BoundRole | null {
  const place = reader.placeOf(node, at)
  const isMapped = node !== null && node !== undefined && 'items' in node
  const fields = isMapped ? reader.fields(node, 'a role that is bound', ['name', 'with'], place) : []
  const nameNode = isMapped ? fields.find((field) => field.name === 'name')?.value : node
  const name = reader.text(nameNode, 'the name of a role', place)
  if (name === null) return null
  const role = roles.get(name) ?? readyMadeRoles.get(name)
  if (role === undefined) {
    const known = [...new Set([...roles.keys(), ...readyMadeRoles.keys()])]
    const near = nearest(name, known)
    const meant = near === null ? `there are ${known.join(', ')}` : `did you mean ${quote(near)}?`
    reader.fail(reader.placeOf(nameNode, place), `there is no role ${quote(name)}; ${meant}`)
    return null
  }
  const parameters = new Map<string, string>()
  const given = fields.find((field) => field.name === 'with')
  for (const field of reader.fields(given?.value, `the parameters of ${name}`, [...role.parameters.keys()], place)) {
    const text = reader.text(field.value, field.name, field.key)
    if (text !== null && isTemplate(text, reader.placeOf(field.value, field.key), [], reader))
      parameters.set(field.name, text)
  }
  return { name, parameters }
}

function readTarget({ value, key }: Field, reader: NodeReader): Binding['to'] | null {
  if (value !== null && value !== undefined && !('items' in value)) {
    const word = reader.word(value, ['everyone'], 'target of a binding', key)
    return word === null ? null : { kind: 'everyone' }
  }
  const fields = reader.fields(value, 'the target of a binding', ['identity', 'group', 'kind'], key)
  const [only, other] = fields
  if (only === undefined || other !== undefined) {
    if (fields.length !== 0)
      reader.fail(key, 'the target of a binding is one of identity, group and kind; write one binding for each')
    return null
  }
  switch (only.name) {
    case 'identity': {
      const ids = reader.texts(only.value, 'an identity', only.key)
      for (const { text, place } of ids)
        if (!isIdentityId(text)) reader.fail(place, `${quote(text)} is no id of an identity`)
      return { kind: 'identities', ids: ids.map(({ text }) => text) }
    }
    case 'group':
      return { kind: 'groups', groups: reader.texts(only.value, 'a group', only.key).map(({ text }) => text) }
    default:
      return { kind: 'kinds', kinds: reader.words(only.value, identityKinds, 'kind of identity', only.key) }
  }
}

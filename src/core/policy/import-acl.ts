/**
 * Access lists of Mosquitto (mosquitto.conf(5), `acl_file`) as a policy file. What both know is carried over, and of the rest it
 * is said line by line that it is not.
 */
import { quote } from '../errors.ts'
import { isIdentityId } from '../identity/id.ts'
import { parseTopicFilter } from '../mqtt/filter.ts'
import { Violation } from '../mqtt/violation.ts'

export interface ImportedAcl {
  /** The text of a policy file. */
  readonly source: string
  /** What was not carried over, or is otherwise than it was; by lines of the access list, 0 for all of it. */
  readonly notes: readonly AclNote[]
}

export interface AclNote {
  readonly line: number
  readonly message: string
}

type Access = 'read' | 'write' | 'readwrite' | 'deny'

interface AclRule {
  readonly access: Access
  /** A filter with variables of a policy. */
  readonly topic: string
}

/** @param text the whole file, lines ended by LF or CRLF */
export function importMosquittoAcl(text: string): ImportedAcl {
  const list = new AclList()
  for (const [index, line] of text.split(/\r?\n/).entries()) list.take(line.trim(), index + 1)
  return { source: list.source(), notes: list.notes() }
}

class AclList {
  readonly #notes: AclNote[] = []
  readonly #ofEveryone: AclRule[] = []
  readonly #ofUser = new Map<string, AclRule[]>()
  /** Before the first `user` line: clients without a name. */
  #user: string | null = null
  #isNamed = false

  take(line: string, number: number): void {
    if (line === '' || line.startsWith('#')) return
    const [, word = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(line) ?? []
    const fault =
      word === 'user'
        ? this.#takeUser(rest)
        : word === 'topic' || word === 'pattern'
          ? this.#takeRule(word, rest)
          : `${quote(word)} is none of user, topic and pattern`
    if (fault !== null) this.#notes.push({ line: number, message: fault })
  }

  /** Why it was not carried over, or null; the same of rules. */
  #takeUser(name: string): string | null {
    this.#isNamed = true
    this.#user = isIdentityId(name) ? name : null
    if (this.#user === null) return `${quote(name)} cannot be the id of an identity: register another one and bind it`
    if (!this.#ofUser.has(name)) this.#ofUser.set(name, [])
    return null
  }

  #takeRule(word: 'topic' | 'pattern', rest: string): string | null {
    const rule = ruleOf(rest, word === 'pattern')
    if (typeof rule === 'string') return rule
    if (word === 'pattern') this.#ofEveryone.push(rule)
    else if (this.#user !== null) this.#ofUser.get(this.#user)?.push(rule)
    else if (this.#isNamed) return 'belongs to a user that was left out'
    else return 'is for clients without a name, and none of those is let in here'
    return null
  }

  notes(): readonly AclNote[] {
    const all = [this.#ofEveryone, ...this.#ofUser.values()].flat()
    if (!all.some(({ access }) => access === 'read' || access === 'readwrite')) return this.#notes
    const message =
      'Mosquitto takes any subscription and filters what it delivers; here a subscription must lie within what may be read, and a wider one is refused'
    return [...this.#notes, { line: 0, message }]
  }

  source(): string {
    const names = new Set(['everybody'])
    const users = [...this.#ofUser].filter(([, rules]) => rules.length > 0)
    const roles = users.map(([id, rules]) => ({ id, name: roleName(id, names), rules }))
    return [
      'roles:',
      ...roleLines('everybody', ['      - allow: [connect]', ...this.#ofEveryone.flatMap(statementLines)]),
      ...roles.flatMap(({ name, rules }) => roleLines(name, rules.flatMap(statementLines))),
      'bindings:',
      '  - roles: [everybody]',
      '    to: everyone',
      ...roles.flatMap(({ id, name }) => [`  - roles: [${name}]`, `    to: { identity: ${quoted(id)} }`]),
      '',
    ].join('\n')
  }
}

const accesses: readonly Access[] = ['read', 'write', 'readwrite', 'deny']

/**
 * The rule behind `topic` or `pattern`, or why it is none. A word alone is a topic; the first of several is an access, and one
 * that there is not is a mistake, as it is for Mosquitto.
 */
function ruleOf(rest: string, isPattern: boolean): AclRule | string {
  const [, first = '', behind = ''] = /^(\S+)\s+(.+)$/.exec(rest) ?? []
  const given = accesses.find((each) => each === first)
  if (first !== '' && given === undefined) return `${quote(first)} is none of ${accesses.join(', ')}`
  const topic = given === undefined ? rest : behind
  if (topic === '') return 'names no topic'
  if (topic.includes('${')) return `${quote(topic)} has "\${" in it, which begins a variable here`
  const carried = isPattern ? topic.replaceAll('%u', '${identity.id}').replaceAll('%c', '${client.id}') : topic
  const shape = parseTopicFilter(carried.replaceAll(/\$\{[^}]*\}/g, 'x'))
  if (shape instanceof Violation) return `${quote(topic)} is no topic filter: ${shape.sentence}`
  return { access: given ?? 'readwrite', topic: carried }
}

/** What an access of Mosquitto is made of. A subscription is not denied: what is denied is held back when it is delivered. */
const actionsOf: Readonly<Record<Access, readonly [effect: 'allow' | 'deny', actions: string]>> = {
  read: ['allow', 'subscribe, receive'],
  write: ['allow', 'publish, retain, will'],
  readwrite: ['allow', 'publish, subscribe, receive, retain, will'],
  deny: ['deny', 'publish, receive, will'],
}

function statementLines({ access, topic }: AclRule): readonly string[] {
  const [effect, actions] = actionsOf[access]
  return [`      - ${effect}: [${actions}]`, `        topics: [${quoted(topic)}]`]
}

function roleLines(name: string, statements: readonly string[]): readonly string[] {
  return [`  ${name}:`, '    statements:', ...statements]
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** A name for the role of one user, another one for each. */
function roleName(id: string, taken: Set<string>): string {
  const base = `of-${id.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-')}`.slice(0, 56)
  let name = base
  for (let n = 2; taken.has(name); n++) name = `${base}-${n}`
  taken.add(name)
  return name
}

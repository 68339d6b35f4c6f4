/** Access lists of Mosquitto (`acl_file`), read with their lines as Mosquitto 2.0 reads them. */
import { quote } from '../../core/errors.ts'

export interface AccessRule {
  readonly file: string
  readonly line: number
  /** `topic` holds for the user above it, `pattern` for everybody. */
  readonly kind: 'topic' | 'pattern'
  readonly access: 'read' | 'write' | 'readwrite' | 'deny'
  readonly filter: string
  /** Null above the first `user` line: clients without a name. */
  readonly user: string | null
}

export interface AccessList {
  readonly file: string
  readonly rules: readonly AccessRule[]
  /** Lines that keep Mosquitto from starting, each with what is wrong, in words. */
  readonly faults: readonly { readonly line: number; readonly what: string }[]
  /** A line that gives something to a user name; null where names do not matter. */
  readonly goesByName: { readonly file: string; readonly line: number } | null
}

const accesses = ['read', 'write', 'readwrite', 'deny'] as const

export function readAccessList(file: string, text: string): AccessList {
  const rules: AccessRule[] = []
  const faults: { line: number; what: string }[] = []
  let user: string | null = null
  for (const [index, raw] of text.split('\n').entries()) {
    const line = index + 1
    if (raw.startsWith('#')) continue
    const trimmed = raw.replace(/\s+$/, '').replace(/^ +/, '')
    if (trimmed === '') continue
    const [word = '', ...behind] = trimmed.split(' ')
    const rest = behind.join(' ').trim()
    if (word === 'user') {
      if (rest === '') faults.push({ line, what: 'no name stands behind user' })
      user = rest
    } else if (word === 'topic' || word === 'pattern') {
      const rule = ruleOf(rest)
      if (typeof rule === 'string') faults.push({ line, what: rule })
      else rules.push({ file, line, kind: word, user: word === 'topic' ? user : null, ...rule })
    } else {
      const tab = word.includes('\t') ? ': names end at a space, not at a tab' : ''
      faults.push({ line, what: `${quote(word)} is none of user, topic and pattern${tab}` })
    }
  }
  const named = rules.find(({ kind, user: of, filter }) => (kind === 'topic' ? of !== null : filter.includes('%u')))
  return { file, rules, faults, goesByName: named ?? null }
}

/** The first of two words is an access, a word alone is a topic; or why it is neither. */
function ruleOf(rest: string): Pick<AccessRule, 'access' | 'filter'> | string {
  const space = rest.indexOf(' ')
  const first = space === -1 ? '' : rest.slice(0, space)
  const access = accesses.find((each) => each === first)
  if (space !== -1 && access === undefined) return `${quote(first)} is none of ${accesses.join(', ')}`
  const filter = space === -1 ? rest : rest.slice(space).trim()
  if (filter === '') return 'no topic stands in it'
  if (!isFilter(filter)) return `${quote(filter)} is no topic filter; a comment needs a line of its own`
  return { access: access ?? 'readwrite', filter }
}

/** As Mosquitto asks: "+" is a whole level, "#" the whole last one. */
function isFilter(filter: string): boolean {
  const levels = filter.split('/')
  return levels.every((level, at) => {
    if (level.includes('#')) return level === '#' && at === levels.length - 1
    return !level.includes('+') || level === '+'
  })
}

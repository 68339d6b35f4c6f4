/** Which failures a test file asserts, told from its text. */
import { failure, failureNames, isFailureName } from '../../../src/core/failure/catalogue.ts'

/** Calls that are handed a failure to bring it about, and do not look whether it came. */
const causing: ReadonlySet<string> = new Set([
  ...['HubError', 'refuse', 'close', 'closeEvery', 'closeIdentity', 'closeCredential', 'closePassword', 'failure'],
  ...['toldToClient', 'test', 'suite', 'mark', 'endsAbruptly'],
])

const byId: ReadonlyMap<string, string> = new Map(failureNames.map((name) => [failure(name).id, name]))

interface Group {
  readonly opens: string
  /** The name before a parenthesis. */
  readonly callee: string
  /** Literals in it that name a failure and nothing else, and whether anything else stands beside them. */
  readonly names: Set<string>
  hasOther: boolean
}

/**
 * The failures that a test compares something with. One counts as argument of a call, as a property, or as a cell of a row that has other cells
 * too; in a mere list of names, or where it is only brought about, it does not.
 */
export function assertedCodes(source: string): ReadonlySet<string> {
  const asserted = new Set<string>()
  const groups: Group[] = [{ opens: '', callee: '', names: new Set(), hasOther: true }]
  for (const { kind, text, before } of tokens(source)) {
    const group = groups.at(-1)
    if (group === undefined) break
    if (kind === 'open') {
      group.hasOther = true
      groups.push({
        opens: text,
        callee: /(\w+)(?:<[^>]*>)?$/.exec(before)?.[1] ?? '',
        names: new Set(),
        hasOther: false,
      })
    } else if (kind === 'close') {
      if (groups.length > 1) groups.pop()
      // A list of names alone says nothing, unless it is what a call is given.
      const isList = group.opens === '[' && !group.hasOther
      const into = isList ? groups.at(-1)?.names : asserted
      if (!causing.has(group.callee)) for (const name of group.names) into?.add(name)
    } else {
      const found = kind === 'word' ? [] : namesIn(text)
      if (found.length === 0) group.hasOther = true
      for (const name of found) group.names.add(name)
    }
  }
  return asserted
}

/** `usage` and `internal` are words as well: they count alone. */
function namesIn(literal: string): readonly string[] {
  const text = literal.slice(1, -1)
  if (isFailureName(text)) return [text]
  const words = text.match(/HF-\d{4}|[a-z]+(?:-[a-z]+)+/g) ?? []
  return words.flatMap((word) => byId.get(word) ?? (isFailureName(word) ? [word] : []))
}

interface Token {
  readonly kind: 'open' | 'close' | 'literal' | 'word'
  readonly text: string
  /** The line up to it. */
  readonly before: string
}

const pattern =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|(?<=[(,=:[!&|?{}\n;]\s*)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*|[([{]|[)\]}]|[\w$.]+/g

function* tokens(source: string): Generator<Token> {
  for (const match of source.matchAll(pattern)) {
    const [text] = match
    if (text.startsWith('//') || text.startsWith('/*')) continue
    const before = source.slice(Math.max(0, match.index - 60), match.index)
    if (/^[([{]$/.test(text)) yield { kind: 'open', text, before }
    else if (/^[)\]}]$/.test(text)) yield { kind: 'close', text, before }
    else yield { kind: /^['"`/]/.test(text) ? 'literal' : 'word', text, before }
  }
}

/**
 * Who a certificate of a trust anchor speaks for: the first rule that is about it and whose pattern its name matches. Rules look
 * at the leaf alone.
 */
import { quote } from '../errors.ts'
import { type IdentityId, isIdentityId } from '../identity/id.ts'
import type { IdentificationRule } from '../policy/model.ts'
import { type Leaf, leafName } from './leaf-names.ts'
import { compileNamePattern, type NamePattern, PatternError } from './name-pattern.ts'

export interface ShownLeaf extends Leaf {
  /** Id of the trust anchor that signed it. */
  readonly anchorId: string
  /** Name of the listener that it came to. */
  readonly listener: string
}

export type Identification =
  | { readonly kind: 'found'; readonly rule: IdentificationRule; readonly identityId: IdentityId }
  /** A rule is about it, and it cannot be used: no later rule is asked. */
  | { readonly kind: 'unfit'; readonly rule: IdentificationRule; readonly words: string }
  | { readonly kind: 'none' }

/** @param rules in the order in which they are tried */
export function identify(rules: readonly IdentificationRule[], leaf: ShownLeaf): Identification {
  for (const rule of rules) {
    if (!isAbout(rule, leaf)) continue
    if (rule.from === null || rule.match === null) return named(rule, new Map())
    const name = leafName(leaf, rule.from)
    if (name.kind === 'unfit') return { kind: 'unfit', rule, words: name.words }
    const groups = name.kind === 'none' ? null : patternOf(rule.match).match(name.value)
    if (groups !== null) return named(rule, groups)
  }
  return { kind: 'none' }
}

function isAbout({ anchors, listeners }: IdentificationRule, { anchorId, listener }: ShownLeaf): boolean {
  return anchors.includes(anchorId) && (listeners.length === 0 || listeners.includes(listener))
}

/** What is put in is checked again where it has become an id: nothing that means something in a topic gets through. */
function named(rule: IdentificationRule, groups: ReadonlyMap<string, string>): Identification {
  let isWhole = true
  const text = rule.identity.replaceAll(variable, (_, name: string) => {
    const value = groups.get(name)
    if (value === undefined) isWhole = false
    return value ?? ''
  })
  if (!isWhole) return { kind: 'unfit', rule, words: `has nothing for a part of ${quote(rule.identity)}` }
  if (isIdentityId(text)) return { kind: 'found', rule, identityId: text }
  return { kind: 'unfit', rule, words: `names ${quote(text)}, which is no identity id` }
}

const variable = /\$\{([^{}]*)\}/g

/**
 * What is wrong with the pattern and the identity of a rule, as a sentence; null where nothing is.
 */
export function ruleFault({ name, from, match, identity }: Omit<IdentificationRule, 'place'>): string | null {
  let groups: readonly string[] = []
  try {
    if (from !== null && match !== null) groups = compileNamePattern(match).groups
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    return `the pattern of the rule ${quote(name)} ${error.message}`
  }
  const used = [...identity.matchAll(variable)].map(([, group = '']) => group)
  const unknown = used.find((group) => !groups.includes(group))
  if (unknown !== undefined) {
    return `the rule ${quote(name)} uses \${${unknown}}, and its pattern has no group (?<${unknown}>…)`
  }
  const rest = identity.replaceAll(variable, 'x')
  return isIdentityId(rest) ? null : `the rule ${quote(name)} finds ${quote(identity)}, which can be no identity id`
}

/** The rules of a policy are few and asked for often. */
const compiled = new Map<string, NamePattern>()
const compiledMax = 1_000

function patternOf(source: string): NamePattern {
  const known = compiled.get(source)
  if (known !== undefined) return known
  if (compiled.size >= compiledMax) compiled.clear()
  const pattern = compileNamePattern(source)
  compiled.set(source, pattern)
  return pattern
}

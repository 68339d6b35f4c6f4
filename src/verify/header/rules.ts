/** Identification rules as data for C: fixed text, one group that is the identity, fixed text. */
import { HubError, quote } from '../../core/errors.ts'
import { type Node, parsePattern } from '../../core/identification/pattern-parser.ts'
import type { IdentificationRule, NameSource } from '../../core/policy/model.ts'
import { type Automaton, automatonOf } from './automaton.ts'

export interface HeaderRule {
  readonly name: string
  readonly from: Exclude<NameSource, 'thumbprint'>
  readonly anchors: readonly string[]
  readonly prefix: string
  readonly suffix: string
  readonly automaton: Automaton
}

/** @throws HubError `verify-rule-unfit` */
export function headerRule(rule: IdentificationRule): HeaderRule {
  const { name, from, match, anchors, identity } = rule
  const unfit = (words: string): HubError => new HubError('verify-rule-unfit', `the rule ${quote(name)} ${words}`)
  if (from === null || match === null) throw unfit('takes any certificate, and so reads no name')
  if (from === 'thumbprint') throw unfit('reads a thumbprint, which is another after each renewal')
  if (rule.listeners.length > 0) throw unfit('is bound to listeners, which a header knows nothing of')
  if (rule.group !== null) throw unfit('is bound to a group, which a device cannot look up')
  if (rule.onUnknown !== 'deny') throw unfit(`has onUnknown: ${rule.onUnknown}, and a device registers nobody`)
  const { root, groups } = parsePattern(match)
  const [group] = groups
  if (group === undefined || groups.length > 1) throw unfit('has several groups, or none')
  if (identity !== `\${${group}}`) throw unfit(`makes ${quote(identity)} of its group, and the group must be all of it`)
  const parts = root.kind === 'sequence' ? root.parts : [root]
  const at = parts.findIndex(({ kind }) => kind === 'group')
  const inner = parts[at]
  const prefix = fixedText(parts.slice(0, at))
  const suffix = fixedText(parts.slice(at + 1))
  if (inner?.kind !== 'group' || prefix === null || suffix === null) {
    throw unfit('has something else than fixed text of ASCII around its group')
  }
  const automaton = automatonOf(inner.inner)
  if ('words' in automaton) throw unfit(`has a pattern that ${automaton.words}`)
  return { name, from, anchors, prefix, suffix, automaton }
}

/** Null where it is not fixed. */
function fixedText(parts: readonly Node[]): string | null {
  let text = ''
  for (const part of parts) {
    const [range, other] = part.kind === 'character' ? part.ranges.ranges : []
    if (part.kind !== 'character' || part.ranges.isNegated || range === undefined || other !== undefined) return null
    const [from, to] = range
    if (from !== to || from > 0x7e || from < 0x20) return null
    text += String.fromCharCode(from)
  }
  return text
}

/** Devices of a hub by their SPIFFE ID, for its own authorities. */
export function hubRule(realm: string, anchors: readonly string[]): IdentificationRule {
  const literal = `spiffe://${realm}/device/`.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return {
    name: 'devices-of-the-hub',
    anchors,
    listeners: [],
    from: 'san.uri',
    match: `${literal}(?<id>[A-Za-z0-9][A-Za-z0-9._-]{0,63})`,
    identity: '${id}',
    onUnknown: 'deny',
    group: null,
    place: { line: 0, column: 0 },
  }
}

/** What an access list gives to those who should not have it. */
import { quote } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { type Finding, finding } from '../finding.ts'
import type { AccessList, AccessRule } from './access-list.ts'
import { placeOf } from './configuration-text.ts'

/** What matters of the listeners that a list is for. */
export interface AccessOf {
  /** Whether any of them lets a client choose its client id. */
  readonly clientIdIsChosen: boolean
  /** Whether any of them lets clients without a name in. */
  readonly allowsAnonymous: boolean
}

export function checkAccessList(list: AccessList, of: AccessOf): readonly Finding[] {
  const place = (line: number): string => placeOf({ file: list.file, line })
  const faults = list.faults
    .slice(0, limits.findingsOfOneCauseMax)
    .map(({ line, what }) => finding('mosquitto-acl-unreadable', place(line), { evidence: what }))
  return [
    ...faults,
    ...each(list, (rule) => byClientId(rule, of)),
    ...each(list, (rule) => forEveryone(rule, of)),
    ...each(list, everything),
    ...each(list, (rule) => asEdgeNodes(rule, list)),
  ]
}

function each(list: AccessList, judge: (rule: AccessRule) => Finding | null): readonly Finding[] {
  return list.rules.flatMap((rule) => judge(rule) ?? []).slice(0, limits.findingsOfOneCauseMax)
}

function mayWrite({ access }: AccessRule): boolean {
  return access === 'write' || access === 'readwrite'
}

function byClientId(rule: AccessRule, { clientIdIsChosen }: AccessOf): Finding | null {
  if (rule.kind !== 'pattern' || rule.access === 'deny' || !rule.filter.includes('%c') || !clientIdIsChosen) return null
  // Both together are the client's own topics as long as the name is.
  if (rule.filter.includes('%u')) return null
  return finding('mosquitto-acl-client-id', placeOf(rule), {
    evidence: `${quote(`pattern ${rule.access} ${rule.filter}`)} gives a client what belongs to any client id that it chooses to send`,
  })
}

function forEveryone(rule: AccessRule, { allowsAnonymous }: AccessOf): Finding | null {
  const isWide = /(?:^|\/)[+#](?:\/|$)/.test(rule.filter)
  if (!mayWrite(rule) || !isWide) return null
  if (rule.kind === 'pattern' && !/%[uc]/.test(rule.filter)) {
    return finding('mosquitto-acl-for-everyone', placeOf(rule), {
      evidence: `${quote(`pattern ${rule.access} ${rule.filter}`)} holds for every client and names none`,
    })
  }
  if (rule.kind !== 'topic' || rule.user !== null || !allowsAnonymous) return null
  return finding('mosquitto-acl-for-everyone', placeOf(rule), {
    evidence: `${quote(`topic ${rule.access} ${rule.filter}`)} stands above the first user and so holds for every client without a name`,
    cure: 'put it below the `user` that it is meant for',
  })
}

function everything(rule: AccessRule): Finding | null {
  if (rule.kind !== 'topic' || rule.user === null || !mayWrite(rule) || rule.filter !== '#') return null
  return finding('mosquitto-acl-everything', placeOf(rule), {
    severity: 'warning',
    evidence: `${quote(rule.user)} may write to every topic, and so as every device`,
  })
}

/** Types of message by which an edge node speaks, for itself and for the devices behind it (Sparkplug 3.0, chapter 4). */
const spoken = ['NBIRTH', 'NDATA', 'NDEATH', 'DBIRTH', 'DDATA', 'DDEATH']

function asEdgeNodes(rule: AccessRule, list: AccessList): Finding | null {
  if (rule.kind !== 'topic' || rule.user === null || !mayWrite(rule)) return null
  const [space, group = '', type = '#', node = '#'] = rule.filter.split('/')
  if (space !== 'spBv1.0' || rule.filter === 'spBv1.0') return null
  const isWideAt = group === '#' || type === '#' || node === '#' || node === '+'
  const covers = group === '#' || type === '#' || type === '+' || spoken.includes(type)
  if (!isWideAt || !covers) return null
  const isDenied = list.rules.some(({ access, user }) => access === 'deny' && (user === rule.user || user === null))
  const where = group === '#' || group === '+' ? 'every group' : `the group ${quote(group)}`
  return finding('mosquitto-acl-sparkplug', placeOf(rule), {
    certainty: isDenied ? 'possible' : 'certain',
    evidence: `${quote(rule.user)} may write ${quote(rule.filter)}, and so speak as every edge node of ${where}`,
    cure: `give it its own node alone, as in ${quote(`topic write spBv1.0/${/^[+#]?$/.test(group) ? '<group>' : group}/NDATA/<node>`)}, for each of ${spoken.join(', ')}; a host needs only NCMD, DCMD and STATE`,
  })
}

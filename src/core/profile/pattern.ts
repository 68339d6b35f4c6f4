/**
 * Patterns of names: text with placeholders for what the registry knows of an identity, as in `{id}.{attr.site}.example`.
 *
 *     {id} {kind} {group} {realm}   of the identity and its hub
 *     {attr.NAME}                   an attribute of the identity
 *     {name}                        the first DNS name of the certificate, or its first address; in a subject only
 *
 * What stands for a placeholder comes from people and programs that may register identities and need not be trusted to name
 * servers. So a value never changes the shape of a name: beside other text it fills a part of one label, and what has a
 * meaning in the kind of name it goes into is refused.
 */
import { HubError, quote } from '../errors.ts'
import { limits } from '../limits.ts'

/** Where a name stands; each kind has its own rules. */
export type NameKind = 'subject' | 'dns' | 'ip' | 'email'

/** What a placeholder can stand for. */
export interface PlaceholderValues {
  readonly id: string
  readonly kind: string
  readonly group: string | null
  readonly realm: string
  readonly attributes: Readonly<Record<string, string>>
  /** Null where the certificate has no DNS name and no address. */
  readonly name: string | null
}

type PatternPart = { readonly text: string } | { readonly placeholder: string }

/**
 * Refuses a pattern that is not well formed, or could never make a name of that kind.
 *
 * @param what how to call the pattern in the message
 * @throws HubError `profile-invalid`
 */
export function assertPattern(pattern: string, kind: NameKind, what: string): void {
  const fault = patternFault(pattern, kind)
  if (fault !== null) throw new HubError('profile-invalid', `${what} ${quote(pattern)} ${fault}`)
}

function patternFault(pattern: string, kind: NameKind): string | null {
  if (pattern === '') return 'is empty'
  if (pattern.length > limits.profilePatternCharsMax)
    return `is longer than ${limits.profilePatternCharsMax} characters`
  if (pattern.includes('*')) return 'holds "*": wildcards are not issued'
  const parts = partsOf(pattern)
  const stray = parts.find((part) => 'text' in part && /[{}]/.test(part.text))
  if (stray !== undefined) return 'holds a brace that belongs to no placeholder'
  for (const part of parts) {
    if ('text' in part) continue
    if (!isKnown(part.placeholder)) return `has the placeholder {${part.placeholder}}, which there is not`
    if (part.placeholder === 'name' && kind !== 'subject') return 'has the placeholder {name}, which is for subjects'
    if (kind === 'ip' && parts.length > 1) return 'is not one placeholder alone: an address has no parts'
  }
  return null
}

function isKnown(placeholder: string): boolean {
  return ['id', 'kind', 'group', 'realm', 'name'].includes(placeholder) || attributeName(placeholder) !== null
}

function attributeName(placeholder: string): string | null {
  return /^attr\.([A-Za-z][A-Za-z0-9_-]*)$/.exec(placeholder)?.[1] ?? null
}

/**
 * What a pattern stands for. The whole of it has still to be read by the parser of its kind.
 *
 * @throws HubError `attribute-missing` where the identity has no such group or attribute, `name-invalid` where a value has
 *   something in it that would mean more than text at its place
 */
export function expandPattern(pattern: string, kind: NameKind, values: PlaceholderValues): string {
  const parts = partsOf(pattern)
  let text = ''
  for (const part of parts) {
    if ('text' in part) {
      text += part.text
      continue
    }
    const value = placedValue(part.placeholder, values)
    if (value === null) throw missing(part.placeholder, pattern, values)
    // The realm is the hub's own and has dots by right.
    const fault = part.placeholder === 'realm' ? null : valueFault(value, kind, parts.length === 1, text.includes('@'))
    if (fault !== null) {
      throw new HubError(
        'name-invalid',
        `{${part.placeholder}} of ${quote(values.id)} is ${quote(value)} and cannot stand in ${quote(pattern)}: ${fault}`,
        { hint: 'change the value in the registry, or the pattern of the profile' },
      )
    }
    text += value
  }
  return text
}

function missing(placeholder: string, pattern: string, { id }: PlaceholderValues): HubError {
  const attribute = attributeName(placeholder)
  const what = attribute === null ? placeholder : `attribute ${quote(attribute)}`
  return new HubError('attribute-missing', `${quote(id)} has no ${what}, which ${quote(pattern)} asks for`, {
    ...(placeholder === 'group' ? { hint: `give it a group: \`handfast device set ${id} --group <name>\`` } : {}),
    ...(placeholder === 'name' ? { hint: 'give it a DNS name or an address' } : {}),
  })
}

function placedValue(placeholder: string, values: PlaceholderValues): string | null {
  switch (placeholder) {
    case 'id':
    case 'kind':
    case 'group':
    case 'realm':
    case 'name':
      return values[placeholder]
    default: {
      const name = attributeName(placeholder) ?? ''
      const value = Object.hasOwn(values.attributes, name) ? values.attributes[name] : undefined
      return value === undefined || value === '' ? null : value
    }
  }
}

/**
 * What is wrong with a value at its place, or null.
 *
 * @param isWhole true where the pattern is this placeholder alone, so that the value is the name
 * @param behindAt true in the domain of an e-mail address
 */
function valueFault(value: string, kind: NameKind, isWhole: boolean, behindAt: boolean): string | null {
  switch (kind) {
    case 'subject':
      // Programs print subjects with these between attributes, and not all of them escape.
      return /["+,;<>=\\/#]/.test(value) ? 'none of " + , ; < > = \\ / # may stand in a subject' : null
    case 'ip':
      return null
    case 'dns':
      return isWhole ? wholeFault(value) : labelFault(value)
    case 'email':
      if (isWhole) return null
      if (behindAt) return labelFault(value)
      return /^[A-Za-z0-9_.-]+$/.test(value) ? null : 'only letters, digits, ".", "_" and "-" may stand there'
  }
}

function wholeFault(value: string): string | null {
  return value === value.toLowerCase() ? null : upperCase
}

function labelFault(value: string): string | null {
  if (value !== value.toLowerCase()) return upperCase
  return /^[a-z0-9-]+$/.test(value) ? null : 'only letters, digits and "-" may stand there'
}

/** Ids and attributes tell upper from lower case, DNS does not. */
const upperCase = 'in upper case it would be the same name as another one in lower case'

/** Text and placeholders in turn. Braces that do not pair stay in the text, where they are refused. */
function partsOf(pattern: string): readonly PatternPart[] {
  return pattern
    .split(/(\{[^{}]*\})/)
    .filter((part) => part !== '')
    .map((part) => (/^\{[^{}]*\}$/.test(part) ? { placeholder: part.slice(1, -1) } : { text: part }))
}

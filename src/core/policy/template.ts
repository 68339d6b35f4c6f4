/**
 * Text with variables, as it stands in the topics, limits and parameters of a policy:
 *
 *     ${identity.id} ${identity.group} ${identity.kind}   of the identity
 *     ${identity.attr.NAME}                               an attribute of the identity
 *     ${client.id}                                        the client id of the connection
 *     ${role.NAME}                                        a parameter of the role
 *
 * What stands for a variable was chosen by people and devices that need not be trusted with the topics of others: a value
 * with `+`, `#`, `/` or a control character in it would reach into them, and counts as not defined. So does a value that begins
 * with `$` and would begin the text: topics of the broker's own begin so, and only a policy may name them.
 */
import { HubError, quote } from '../errors.ts'
import type { Subject } from './rights.ts'

/** A variable by its whole name, or a piece of text. */
export type TemplatePart = { readonly text: string } | { readonly variable: string }
export type Template = readonly TemplatePart[]

/** Who asks, as far as variables go. */
export type VariableHolder = Pick<Subject, 'identity' | 'clientId'>

/** Names of variables that stand for themselves; attributes and parameters come beside them. */
export const plainVariables = ['identity.id', 'identity.group', 'identity.kind', 'client.id'] as const

/**
 * Reads text with variables.
 *
 * @param parameters names that `${role.…}` may have
 * @throws HubError `policy-invalid` for a variable that there is none of, or a `${` that does not end
 */
export function parseTemplate(text: string, parameters: Iterable<string> = []): Template {
  const known = new Set(parameters)
  const parts: TemplatePart[] = []
  let rest = text
  for (;;) {
    const start = rest.indexOf('${')
    if (start > 0) parts.push({ text: rest.slice(0, start) })
    if (start < 0) {
      if (rest !== '') parts.push({ text: rest })
      return parts
    }
    const end = rest.indexOf('}', start)
    if (end < 0) throw new HubError('policy-invalid', `${quote(text)} has a "\${" without its "}"`)
    const variable = rest.slice(start + 2, end)
    assertKnown(variable, known, text)
    parts.push({ variable })
    rest = rest.slice(end + 1)
  }
}

function assertKnown(variable: string, parameters: ReadonlySet<string>, text: string): void {
  if ((plainVariables as readonly string[]).includes(variable)) return
  if (/^identity\.attr\.[A-Za-z][A-Za-z0-9_-]*$/.test(variable)) return
  if (variable.startsWith('role.') && parameters.has(variable.slice('role.'.length))) return
  const hint =
    variable.startsWith('role.') && parameters.size > 0
      ? `parameters of the role: ${[...parameters].join(', ')}`
      : `variables: ${plainVariables.join(', ')}, identity.attr.<name>, and role.<parameter> within a role`
  throw new HubError('policy-invalid', `${quote(text)} names the variable ${quote(variable)}, which there is not`, {
    hint,
  })
}

/**
 * The text for somebody; null where one of its variables is not defined for them.
 *
 * @param parameters what `${role.…}` stands for; null for one that is not defined
 */
export function fill(
  template: Template,
  holder: VariableHolder,
  parameters: ReadonlyMap<string, string | null> = noParameters,
): string | null {
  let filled = ''
  for (const part of template) {
    const value = 'text' in part ? part.text : variableValue(part.variable, holder, parameters)
    if (value === null || (filled === '' && isOwnOfBroker(part, value))) return null
    filled += value
  }
  return filled
}

/** What a parameter of a role stands for was filled by this function itself. */
function isOwnOfBroker(part: TemplatePart, value: string): boolean {
  return 'variable' in part && !part.variable.startsWith('role.') && value.startsWith('$')
}

const noParameters: ReadonlyMap<string, string | null> = new Map()

function variableValue(
  variable: string,
  { identity, clientId }: VariableHolder,
  parameters: ReadonlyMap<string, string | null>,
): string | null {
  switch (variable) {
    case 'identity.id':
      return identity.id
    case 'identity.kind':
      return identity.kind
    case 'identity.group':
      return plain(identity.group)
    case 'client.id':
      return plain(clientId)
    default: {
      if (variable.startsWith('role.')) return parameters.get(variable.slice('role.'.length)) ?? null
      const name = variable.slice('identity.attr.'.length)
      return plain(Object.hasOwn(identity.attributes, name) ? (identity.attributes[name] ?? null) : null)
    }
  }
}

/** The value, if it can stand in one level of a topic and means nothing there but itself. */
function plain(value: string | null): string | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
  return value === null || value === '' || /[+#/\u0000-\u001f\u007f-\u009f]/.test(value) || !value.isWellFormed()
    ? null
    : value
}

/**
 * What names a certificate instead of an identity: serial numbers, thumbprints and hashes change at each renewal, and rights that
 * hang on them are gone that day.
 */
import { quote } from '../../../errors.ts'
import type { Binding, Statement } from '../../model.ts'
import type { Finding, LintRule } from '../rule.ts'

export const serialReference: LintRule = {
  name: 'serial-reference',
  *check(policy) {
    for (const { name, from, place } of policy.identify) {
      if (from !== 'thumbprint') continue
      const message = `the rule ${quote(name)} finds identities by thumbprint, which changes at each renewal: it breaks at the next one`
      yield { ...place, message }
    }
    for (const role of policy.roles.values()) for (const statement of role.statements) yield* inStatement(statement)
    for (const binding of policy.bindings) yield* inBinding(binding)
  },
}

function* inStatement({ topics, when, place }: Statement): Generator<Omit<Finding, 'rule'>> {
  for (const topic of topics) {
    const level = topic.split('/').find(namesCertificate)
    if (level !== undefined) yield { ...place, message: told(`the topic ${quote(topic)}`, level) }
    const variable = [...topic.matchAll(/\$\{identity\.attr\.([^}]*)\}/g)]
      .map(([, name]) => name ?? '')
      .find(isHashName)
    if (variable !== undefined) yield { ...place, message: told(`the topic ${quote(topic)}`, variable) }
  }
  for (const [name, values] of when.attributes ?? []) {
    const value = isHashName(name) ? name : values.find(namesCertificate)
    if (value !== undefined) yield { ...place, message: told(`the condition on the attribute ${name}`, value) }
  }
}

function* inBinding({ to, roles, place }: Binding): Generator<Omit<Finding, 'rule'>> {
  const targets = to.kind === 'identities' ? to.ids : to.kind === 'groups' ? to.groups : []
  const target = targets.find(namesCertificate)
  if (target !== undefined) yield { ...place, message: told('the binding', target) }
  for (const { name, parameters } of roles) {
    const value = [...parameters.values()].flatMap((text) => text.split('/')).find(namesCertificate)
    if (value !== undefined) yield { ...place, message: told(`what the binding gives the role ${name}`, value) }
  }
}

function told(what: string, value: string): string {
  return `${what} refers to a certificate by ${quote(value)}: it breaks at the next renewal`
}

/** Hexadecimal of the length of a serial number of 16 octets and more, of MD5, SHA-1 or SHA-256; with or without colons. */
function namesCertificate(text: string): boolean {
  if (/^[0-9a-f]{2}(:[0-9a-f]{2}){7,}$/i.test(text)) return true
  return /^([0-9a-f]{32,40}|[0-9a-f]{64})$/i.test(text) && /[0-9]/.test(text) && /[a-f]/i.test(text)
}

/** `serial` alone is not among them: that of a machine stays. */
function isHashName(name: string): boolean {
  return /^(cert(ificate)?[-_]?serial([-_]?number)?|(cert[-_]?)?(thumbprint|fingerprint)|md5|sha1|sha256)$/i.test(name)
}

/** The attributes that a subject can have, with the bounds of RFC 5280 appendix A.1. */
import { HubError, quote } from '../errors.ts'
import { isDnsName } from '../identity/names.ts'
import type { NewNameAttribute } from '../x509/name.ts'
import { oids } from '../x509/oids.ts'

interface SubjectRule {
  readonly oid: string
  readonly form: NewNameAttribute['form']
  /** Characters. */
  readonly charsMax: number
  /** Whether it may come more than once. */
  readonly repeats: boolean
}

const rules = {
  commonName: { oid: oids.commonName, form: 'utf8', charsMax: 64, repeats: false },
  organizationName: { oid: oids.organizationName, form: 'utf8', charsMax: 64, repeats: false },
  organizationalUnitName: { oid: oids.organizationalUnitName, form: 'utf8', charsMax: 64, repeats: true },
  localityName: { oid: oids.localityName, form: 'utf8', charsMax: 128, repeats: false },
  stateOrProvinceName: { oid: oids.stateOrProvinceName, form: 'utf8', charsMax: 128, repeats: false },
  countryName: { oid: oids.countryName, form: 'printable', charsMax: 2, repeats: false },
  serialNumber: { oid: oids.serialNumberAttribute, form: 'printable', charsMax: 64, repeats: false },
  domainComponent: { oid: oids.domainComponent, form: 'ia5', charsMax: 63, repeats: true },
  userId: { oid: oids.userId, form: 'utf8', charsMax: 256, repeats: false },
} as const satisfies Record<string, SubjectRule>

export type SubjectAttributeType = keyof typeof rules
export const subjectAttributeTypes: readonly [SubjectAttributeType, ...SubjectAttributeType[]] = Object.keys(
  rules,
) as never

/** One attribute of a subject, its value as a pattern. */
export interface SubjectPattern {
  readonly type: SubjectAttributeType
  /** See `pattern.ts`. */
  readonly value: string
}

/** Whether a subject may have the attribute more than once. */
export function mayRepeat(type: SubjectAttributeType): boolean {
  return rules[type].repeats
}

/** Longest value of an attribute, in characters. */
export function subjectCharsMax(type: SubjectAttributeType): number {
  return rules[type].charsMax
}

/**
 * An attribute with its value, as it will stand in a certificate.
 *
 * @throws HubError `name-invalid` for a value that its type does not allow
 */
export function subjectAttribute(type: SubjectAttributeType, value: string): NewNameAttribute {
  const rule: SubjectRule = rules[type]
  const fault = faultOf(type, rule, value)
  if (fault === null) return { oid: rule.oid, value, form: rule.form }
  throw new HubError('name-invalid', `${quote(value)} cannot be the ${type} of a subject: ${fault}`)
}

function faultOf(type: SubjectAttributeType, rule: SubjectRule, value: string): string | null {
  if (value === '') return 'it is empty'
  if ([...value].length > rule.charsMax) return `it is longer than ${rule.charsMax} characters`
  if (!value.isWellFormed() || value !== value.normalize('NFC')) return 'it is not text in Unicode normal form C'
  if (/[\p{C}\p{Zl}\p{Zp}]/u.test(value)) return 'it holds control characters or ones that nobody sees'
  if (/^\s|\s$/u.test(value)) return 'it begins or ends with white space'
  if (value.includes('*')) return 'wildcards are not issued'
  if (type === 'countryName') return /^[A-Z]{2}$/.test(value) ? null : 'a country is two capital letters'
  if (type === 'domainComponent') {
    return isDnsName(`${value}.x`) && !value.includes('.') ? null : 'it is not a label of a DNS name in lower case'
  }
  // PrintableString of X.680 §41.4.
  if (rule.form === 'printable' && !/^[A-Za-z0-9 '()+,./:=?-]+$/.test(value)) return 'it is not a PrintableString'
  return null
}

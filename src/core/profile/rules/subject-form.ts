import { tags } from '../../x509/der-tags.ts'
import type { NameAttribute } from '../../x509/name.ts'
import { oidName, oids } from '../../x509/oids.ts'
import type { LintRule } from '../lint-rule.ts'

/** Characters that an attribute may have (RFC 5280 appendix A.1, upper bounds). */
const charsMax: ReadonlyMap<string, number> = new Map([
  [oids.commonName, 64],
  [oids.serialNumberAttribute, 64],
  [oids.countryName, 2],
  [oids.localityName, 128],
  [oids.stateOrProvinceName, 128],
  [oids.organizationName, 64],
  [oids.organizationalUnitName, 64],
  [oids.emailAddress, 255],
  [oids.userId, 256],
  [oids.domainComponent, 63],
])

export const subjectForm: LintRule = {
  name: 'subject-form',
  clause: 'RFC 5280 §4.1.2.6, appendix A.1',
  reason: 'names that are too long, hold control characters or come twice are cut, shown and compared differently',
  faultOf({ certificate: { subject } }) {
    const types = subject.attributes.map(({ oid }) => oid)
    if (types.filter((oid) => oid === oids.commonName).length > 1) return 'has two common names'
    for (const attribute of subject.attributes) {
      const fault = faultOfAttribute(attribute)
      if (fault !== null) return `has ${fault} as ${oidName(attribute.oid)}`
    }
    return null
  },
}

function faultOfAttribute({ oid, value, tag }: NameAttribute): string | null {
  const most = charsMax.get(oid)
  if (most === undefined) return 'an attribute of a type that this hub does not give'
  if (value.length === 0 || [...value].length > most) return `a text of ${[...value].length} characters`
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(value)) return 'a text with characters that cannot be seen'
  if (value !== value.trim()) return 'a text with blanks around it'
  return stringTags.has(tag) ? null : 'a string of an old type'
}

/** IA5String for the old emailAddress and for domainComponent (RFC 4519 §2.4) alone would do; it is harmless elsewhere. */
const stringTags: ReadonlySet<number> = new Set([tags.utf8String, tags.printableString, tags.ia5String])

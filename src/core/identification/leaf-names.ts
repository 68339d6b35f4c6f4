/** The names that stand in a leaf, each from one kind of field: what is in another one never counts. */
import type { NameSource } from '../policy/model.ts'
import type { CertificateFields } from '../x509/certificate.ts'
import { tags } from '../x509/der-tags.ts'
import { oids } from '../x509/oids.ts'

/** A leaf as it is looked at. */
export interface Leaf {
  readonly fields: CertificateFields
  /** SHA-256 of all of it, lower-case hexadecimal. */
  readonly fingerprint: string
}

export type LeafName =
  | { readonly kind: 'one'; readonly value: string }
  | { readonly kind: 'none' }
  /** What is wrong, as words behind "the certificate". */
  | { readonly kind: 'unfit'; readonly words: string }

/** The one name of that kind. A field that comes twice with two values names nobody. */
export function leafName(leaf: Leaf, from: NameSource): LeafName {
  const values = valuesOf(leaf, from)
  if (values === null) return { kind: 'unfit', words: `has a ${from} whose encoding can be read in several ways` }
  const [value, other] = [...new Set(values)]
  if (value === undefined) return { kind: 'none' }
  if (other !== undefined)
    return { kind: 'unfit', words: `has several values of ${from}: it cannot be told which counts` }
  const fault = textFault(value)
  return fault === null ? { kind: 'one', value } : { kind: 'unfit', words: `has a ${from} that ${fault}` }
}

function valuesOf({ fields, fingerprint }: Leaf, from: NameSource): readonly string[] | null {
  switch (from) {
    case 'cn':
      return attributesOf(fields, oids.commonName)
    case 'subject.serialNumber':
      return attributesOf(fields, oids.serialNumberAttribute)
    case 'san.uri':
      return fields.uris
    case 'san.dns':
      return fields.dnsNames
    case 'san.email':
      return fields.emails
    case 'thumbprint':
      return [fingerprint]
  }
}

/** Null where one is a string that programs read in different ways, or none at all. */
function attributesOf({ subject }: CertificateFields, oid: string): readonly string[] | null {
  const found = subject.attributes.filter((attribute) => attribute.oid === oid)
  return found.every(({ tag }) => plainStrings.has(tag)) ? found.map(({ value }) => value) : null
}

const plainStrings: ReadonlySet<number> = new Set([tags.utf8String, tags.printableString, tags.ia5String])

function textFault(value: string): string | null {
  if (value === '') return 'is empty'
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(value)) return 'holds characters that nobody sees'
  return value.normalize('NFC') === value ? null : 'is not in the normal form of Unicode (NFC)'
}

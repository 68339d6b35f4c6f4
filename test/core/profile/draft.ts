/** Certificates with any fault that one cares to give them, for tests of what must find it. */
import type { IdentityId } from '../../../src/core/identity/id.ts'
import { noNames } from '../../../src/core/identity/identity.ts'
import { deviceProfile, issuingProfile, rootProfile, serverProfile } from '../../../src/core/profile/built-in.ts'
import type { CertificatePlan } from '../../../src/core/profile/lint-rule.ts'
import { signingAlgorithm } from '../../../src/core/x509/algorithms.ts'
import { contextConstructed, contextPrimitive, tags } from '../../../src/core/x509/der-tags.ts'
import { derBitString, derElement, derInteger, derSequence, derTime } from '../../../src/core/x509/der-writer.ts'
import {
  authorityKeyIdentifier,
  basicConstraints,
  crlDistributionPoint,
  type Extension,
  encodeExtensions,
  extendedKeyUsage,
  keyUsage,
  subjectAltName,
  subjectKeyIdentifier,
} from '../../../src/core/x509/extensions.ts'
import { buildName } from '../../../src/core/x509/name.ts'
import { oids } from '../../../src/core/x509/oids.ts'
import { keyIdentifier } from '../../../src/core/x509/public-key.ts'
import { crlUrl, ecKey, makeIssuing, makeRoot, signBytes } from '../x509/support.ts'

/** A certificate before it is encoded; nothing keeps its parts from being wrong. */
export interface Draft {
  readonly version: number
  /** Content octets of the INTEGER. */
  readonly serialNumber: Uint8Array
  /** AlgorithmIdentifier in DER. */
  readonly algorithm: Uint8Array
  readonly issuer: Uint8Array
  /** Elements in DER. */
  readonly notBefore: Uint8Array
  readonly notAfter: Uint8Array
  readonly subject: Uint8Array
  readonly publicKey: Uint8Array
  readonly hasUniqueId: boolean
  readonly extensions: readonly Extension[]
}

/** 21 September 2026, early in the afternoon. */
export const nowSec = 1_790_000_000
const day = 86_400
const year = 365 * day

export const root = makeRoot({ notBeforeSec: nowSec - 30 * day, notAfterSec: nowSec + 19 * year })
export const issuing = makeIssuing(root, { notBeforeSec: nowSec - 20 * day, notAfterSec: nowSec + 9 * year })
export const holder = ecKey()
export const serialNumber = Buffer.from('4f1c9a07be3355d02c6b8e1479fa6d80c3b2a1e5', 'hex')

const commonPlan = { madeAtSec: nowSec, publicKey: holder.spki, previousSerialNumber: null } as const

export type Kind = 'device' | 'server' | 'issuing' | 'root'

/** A certificate of each kind that is right, with its plan. */
export const sound: Readonly<Record<Kind, { readonly draft: Draft; readonly plan: CertificatePlan }>> = {
  device: leaf('device'),
  server: leaf('server'),
  issuing: authority('issuing'),
  root: authority('root'),
}

function leaf(kind: 'device' | 'server'): { readonly draft: Draft; readonly plan: CertificatePlan } {
  const profile = kind === 'device' ? deviceProfile : serverProfile
  const [id, uri] = [`${kind}-1` as IdentityId, `spiffe://plant.example/${kind}/${kind}-1`]
  const names =
    kind === 'device' ? noNames : { ...noNames, dnsNames: ['hub.plant.example'], ipAddresses: ['10.3.0.11'] }
  return {
    draft: {
      ...commonDraft(profile.lifetimeSec),
      subject: buildName(id),
      extensions: [
        keyUsage(profile.keyUsage),
        extendedKeyUsage(profile.extendedKeyUsage),
        ...keyIdentifiers(issuing.fields.subjectKeyIdentifier),
        subjectAltName({ ...names, uris: [uri] }, false),
        crlDistributionPoint(crlUrl),
      ],
    },
    plan: {
      ...commonPlan,
      profile,
      issuer: issuing.fields,
      identity: { id, spiffeId: uri },
      subject: buildName(id),
      names,
      status: { crlUrl, ocspUrl: null, caIssuersUrl: null },
    },
  }
}

function authority(kind: 'issuing' | 'root'): { readonly draft: Draft; readonly plan: CertificatePlan } {
  const profile = kind === 'root' ? rootProfile : issuingProfile
  const above = kind === 'root' ? null : root.fields
  const name = buildName(`plant ${kind} 2`)
  return {
    draft: {
      ...commonDraft(kind === 'root' ? profile.lifetimeSec : 9 * year),
      issuer: above?.subject.der ?? name,
      subject: name,
      extensions: [
        basicConstraints(profile.pathLength ?? 0),
        keyUsage(profile.keyUsage),
        ...keyIdentifiers(above?.subjectKeyIdentifier ?? null),
      ],
    },
    plan: { ...commonPlan, profile, issuer: above, identity: null, subject: name, names: null, status: null },
  }
}

function commonDraft(lifetimeSec: number): Omit<Draft, 'subject' | 'extensions'> {
  return {
    version: 3,
    serialNumber,
    algorithm: signingAlgorithm(issuing.key.spki).identifier,
    issuer: issuing.fields.subject.der,
    notBefore: derTime(nowSec - 300),
    notAfter: derTime(nowSec + lifetimeSec - 1),
    publicKey: holder.spki,
    hasUniqueId: false,
  }
}

function keyIdentifiers(above: Uint8Array | null): readonly Extension[] {
  const own = subjectKeyIdentifier(keyIdentifier(holder.spki))
  return above === null ? [own] : [own, authorityKeyIdentifier(above)]
}

/** The certificate of a draft, signed with a key of this process. */
export function encoded(draft: Draft): Uint8Array {
  const tbs = derSequence(
    derElement(contextConstructed(0), derInteger(draft.version - 1)),
    derElement(tags.integer, draft.serialNumber),
    draft.algorithm,
    draft.issuer,
    derSequence(draft.notBefore, draft.notAfter),
    draft.subject,
    draft.publicKey,
    ...(draft.hasUniqueId ? [derElement(contextPrimitive(2), Uint8Array.of(0, 1))] : []),
    derElement(contextConstructed(3), encodeExtensions(draft.extensions)),
  )
  return derSequence(tbs, draft.algorithm, derBitString(signBytes(issuing.key, tbs)))
}

/** The extensions with one of them in place of the one of its type, or added. */
export function withExtension({ extensions }: Draft, extension: Extension): Pick<Draft, 'extensions'> {
  return { extensions: [...extensions.filter(({ oid }) => oid !== extension.oid), extension] }
}

export function withoutExtension({ extensions }: Draft, oid: string): Pick<Draft, 'extensions'> {
  return { extensions: extensions.filter((extension) => extension.oid !== oid) }
}

/** The same extension, critical or not. */
export function withCriticality(draft: Draft, oid: string, critical: boolean): Pick<Draft, 'extensions'> {
  return { extensions: draft.extensions.map((each) => (each.oid === oid ? { ...each, critical } : each)) }
}

/** Alternative names of any kind, each an element in DER. */
export function alternativeNames(...names: readonly Uint8Array[]): Extension {
  return { oid: oids.subjectAltName, critical: false, value: derSequence(...names) }
}

export function generalName(kind: 'email' | 'dns' | 'uri', text: string): Uint8Array {
  const number = { email: 1, dns: 2, uri: 6 }[kind]
  return derElement(contextPrimitive(number), Buffer.from(text, 'latin1'))
}

/** What a rule is tried with. */
export interface RuleCases {
  /** Certificates in which the rule finds nothing. At least one. */
  readonly good: readonly Case[]
  /** Certificates in which it finds something. At least one. */
  readonly bad: readonly Case[]
}

export interface Case {
  /** What the certificate is, in words. */
  readonly what: string
  /** A sound device where it is left out. */
  readonly of?: Kind
  readonly draft?: (draft: Draft) => Partial<Draft>
  readonly plan?: (plan: CertificatePlan) => Partial<CertificatePlan>
  /** The last change, to the bytes. */
  readonly bytes?: (der: Uint8Array) => Uint8Array
}

export const soundDevice: Case = { what: 'a sound device' }
export const soundServer: Case = { what: 'a sound server', of: 'server' }
export const soundIssuing: Case = { what: 'a sound issuing authority', of: 'issuing' }
export const soundRoot: Case = { what: 'a sound root', of: 'root' }

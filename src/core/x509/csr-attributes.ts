/**
 * What a server tells its clients about the requests that it wants: the CsrAttrs of EST (RFC 7030 §4.5.2 as RFC 8951 §3.5
 * and RFC 9908 define it).
 *
 * The template (RFC 9908 §3.4) says it whole: subject, key, extensions. The elements before it are for clients that are older
 * than it: kinds of key and the signature, in order of preference. A client that knows the template leaves those alone.
 */
import { contextConstructed } from './der-tags.ts'
import { derElement, derInteger, derNull, derOid, derSequence, derSet, derUtf8String } from './der-writer.ts'
import { oids } from './oids.ts'
import type { KeyType } from './public-key.ts'

/** What a request should look like. */
export interface RequestWish {
  /** Kinds of key that are accepted, the one to prefer first; at least one. */
  readonly keyTypes: readonly KeyType[]
  /** The common name of the client, or null where the client fills it in. */
  readonly commonName: string | null
  /** Extensions that the client fills in, dotted; most profiles leave it none. */
  readonly extensionsToFill: readonly string[]
}

/** The CsrAttrs of a wish, in DER. */
export function csrAttributes(wish: RequestWish): Uint8Array {
  const [preferred] = wish.keyTypes
  return derSequence(
    ...keyElements(wish.keyTypes),
    ...(preferred === undefined ? [] : [derOid(signatureOids[preferred])]),
    attribute(oids.requestInfoTemplate, requestInfoTemplate(wish)),
  )
}

const curves: Partial<Record<KeyType, string>> = { 'P-256': oids.p256, 'P-384': oids.p384, 'P-521': oids.p521 }

const signatureOids: Readonly<Record<KeyType, string>> = {
  'P-256': oids.ecdsaWithSha256,
  'P-384': oids.ecdsaWithSha384,
  'P-521': oids.ecdsaWithSha512,
  RSA: oids.sha256WithRsa,
  'RSA-2048': oids.sha256WithRsa,
  'RSA-3072': oids.sha256WithRsa,
  'RSA-4096': oids.sha256WithRsa,
  Ed25519: oids.ed25519,
}

/** Lengths to ask for; where all are accepted, the one that the smallest devices can make. */
const rsaBits: Partial<Record<KeyType, number>> = {
  RSA: 2_048,
  'RSA-2048': 2_048,
  'RSA-3072': 3_072,
  'RSA-4096': 4_096,
}

/** One element for each kind: a curve is the value of ecPublicKey, a length in bits that of rsaEncryption (RFC 9908 §3.3). */
function keyElements(keyTypes: readonly KeyType[]): readonly Uint8Array[] {
  return keyTypes.map((type) => {
    const curve = curves[type]
    if (curve !== undefined) return attribute(oids.ecPublicKey, derOid(curve))
    const bits = rsaBits[type]
    return bits === undefined ? derOid(oids.ed25519) : attribute(oids.rsaEncryption, derInteger(bits))
  })
}

function requestInfoTemplate({ keyTypes, commonName, extensionsToFill }: RequestWish): Uint8Array {
  const name = [derOid(oids.commonName), ...(commonName === null ? [] : [derUtf8String(commonName)])]
  const [only, ...others] = keyTypes
  const extensions = extensionsToFill.map((oid) => derSequence(derOid(oid)))
  return derSequence(
    derInteger(0),
    derSequence(derSet(derSequence(...name))),
    // A template names one key and no choice: where there is a choice it is the client's.
    ...(only !== undefined && others.length === 0 ? [derElement(contextConstructed(0), keyAlgorithm(only))] : []),
    derElement(
      contextConstructed(1),
      ...(extensions.length === 0 ? [] : [attribute(oids.extensionRequestTemplate, derSequence(...extensions))]),
    ),
  )
}

function keyAlgorithm(type: KeyType): Uint8Array {
  const curve = curves[type]
  if (curve !== undefined) return derSequence(derOid(oids.ecPublicKey), derOid(curve))
  return type === 'Ed25519' ? derSequence(derOid(oids.ed25519)) : derSequence(derOid(oids.rsaEncryption), derNull())
}

function attribute(oid: string, value: Uint8Array): Uint8Array {
  return derSequence(derOid(oid), derSet(value))
}

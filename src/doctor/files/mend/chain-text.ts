/** The file of a certificate with its chain in order. */
import { isSame, issuersOf } from '../chain.ts'
import type { FileContents } from '../contents.ts'
import type { LookedAt } from '../examine-files.ts'

/** Null where it is in order, or where nobody knows which certificate is the device's. */
export function orderedChain(
  { file, keys, pem }: FileContents,
  { parts }: LookedAt,
): { readonly what: string; readonly text: string } | null {
  const { leaf, key, sent } = parts
  if (pem === null || leaf === null || key === null || leaf.file !== file || keys.length > 0) return null
  const order = [leaf, ...issuersOf(leaf, sent)]
  const isInOrder =
    sent.length === order.length && order.every((each, at) => sent[at] !== undefined && isSame(sent[at], each))
  if (isInOrder) return null
  const left = sent.length - order.length
  const rest = left === 0 ? '' : `, without ${left} that ${left === 1 ? 'has' : 'have'} no part in it`
  return {
    what: `gets its certificates in order, that of the device first${rest}`,
    text: order.map(({ certificate }) => certificate.toString()).join(''),
  }
}

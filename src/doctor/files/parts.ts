/** Which of the files that lie together is what: the key of the device, its certificate, those behind it, and the roots. */

import { isSelfSigned } from './chain.ts'
import type { FileContents, FoundCertificate } from './contents.ts'
import { type FoundFile, namedFor, roleNamed } from './found-file.ts'
import type { OpenedKey } from './open-key.ts'

export interface Parts {
  readonly keys: readonly OpenedKey[]
  /** The certificate that belongs to an opened key; else the one that seems to be the device's. */
  readonly leaf: FoundCertificate | null
  /** The key of the leaf; null where none fits, or none was opened. */
  readonly key: OpenedKey | null
  /** All of the file of the leaf, in its order; in source code, of its string. */
  readonly sent: readonly FoundCertificate[]
  /** Of files of trusted authorities; in source code, of strings with authorities alone. */
  readonly roots: readonly FoundCertificate[]
  /** Files of which a part is lost: what seems to be missing or amiss in them may be in that part. */
  readonly damaged: ReadonlySet<FoundFile>
  /** Every certificate, once for each place. */
  readonly all: readonly FoundCertificate[]
}

export function partsOf(contents: readonly FileContents[], keys: readonly OpenedKey[]): Parts {
  const all = [
    ...contents.flatMap(({ certificates }) => certificates),
    ...keys.flatMap(({ certificates }) => certificates),
  ]
  const pairOf = (certificate: FoundCertificate): OpenedKey | undefined =>
    keys.find(({ key }) => key !== null && certificate.certificate.checkPrivateKey(key))
  const rootFiles = new Set(
    contents
      .filter((each) => holdsRoots(each, (certificate) => pairOf(certificate) !== undefined))
      .map(({ file }) => file),
  )
  const damaged = new Set(contents.filter(isDamaged).map(({ file }) => file))
  const others = all.filter(({ file }) => !rootFiles.has(file))
  const whole = others.filter(({ file }) => !damaged.has(file))
  // An authority stands where the certificate of a device should only if something says that one should stand there.
  const isMeant = ({ file }: FoundCertificate): boolean => keys.length > 0 || roleNamed(file) === 'client'
  const matched = others.find((each) => pairOf(each) !== undefined) ?? all.find((each) => pairOf(each) !== undefined)
  const leaf = matched ?? whole.find(({ certificate }) => !certificate.ca) ?? whole.find(isMeant) ?? null
  return {
    ...{ keys, leaf, all, damaged },
    key: matched === undefined ? null : (pairOf(matched) ?? null),
    sent: leaf === null ? [] : all.filter(({ file, literal }) => file === leaf.file && literal === leaf.literal),
    roots: all.filter((each) => rootFiles.has(each.file) || standsApart(each, leaf, all)),
  }
}

/** In another string than the leaf of the same file, with authorities alone and a root among them. */
function standsApart(one: FoundCertificate, leaf: FoundCertificate | null, all: readonly FoundCertificate[]): boolean {
  if (leaf === null || one.file !== leaf.file || one.literal === leaf.literal) return false
  const beside = all.filter(({ file, literal }) => file === one.file && literal === one.literal)
  return beside.every(({ certificate }) => certificate.ca) && beside.some(isSelfSigned)
}

function holdsRoots(
  { file, certificates, keys, pfx }: FileContents,
  isPaired: (one: FoundCertificate) => boolean,
): boolean {
  if (certificates.length === 0 || keys.length > 0 || pfx !== null) return false
  const named = namedFor(file)
  if (named === 'roots') return true
  if (named !== null) return false
  return certificates.every((each) => each.certificate.ca && !isPaired(each)) && certificates.some(isSelfSigned)
}

function isDamaged({ pem, derFault, isCut, unreadPlaces }: FileContents): boolean {
  return derFault !== null || isCut || unreadPlaces.length > 0 || (pem?.faults.length ?? 0) > 0
}

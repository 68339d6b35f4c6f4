/**
 * What can be mended in the files of a device without a decision of anybody: how they are written, the order of a chain, modes,
 * and the form of a key for the platform that is to read it. Nothing is changed here.
 */
import type { RandomOctets } from '../../../core/key-file/pbes2.ts'
import type { FileContents } from '../contents.ts'
import type { FilesQuestion, LookedAt } from '../examine-files.ts'
import type { FoundFile } from '../found-file.ts'
import { layoutTraits } from '../layout-findings.ts'
import { orderedChain } from './chain-text.ts'
import { convertedKey } from './key-text.ts'
import { passphraseText } from './passphrase-text.ts'

/** One change to one file or folder. */
export interface Mending {
  readonly path: string
  /** What is done, each in words behind the name of the file. */
  readonly what: readonly string[]
  /** Its mode from then on; null where that stays. */
  readonly mode: number | null
  /** What stands in it from then on; null where that stays. It may be secret. */
  readonly content: Uint8Array | null
  /** What stood in it when it was looked at. */
  readonly before: Uint8Array
}

export function plannedMendings(question: FilesQuestion, looked: LookedAt, random: RandomOctets): readonly Mending[] {
  const files = looked.contents.flatMap((contents) => ofFile(contents, question, looked, random))
  return [...ofFolder(question, looked), ...files]
}

function ofFolder({ folderAccess = null, subject }: FilesQuestion, { parts }: LookedAt): readonly Mending[] {
  if (folderAccess === null || parts.keys.length === 0 || (folderAccess.mode & 0o022) === 0) return []
  const mode = folderAccess.mode & 0o700
  return [{ path: subject, what: [`gets the mode ${octal(mode)}`], mode, content: null, before: new Uint8Array() }]
}

function ofFile(
  contents: FileContents,
  question: FilesQuestion,
  looked: LookedAt,
  random: RandomOctets,
): readonly Mending[] {
  const { file } = contents
  if (isLeftAlone(contents)) return []
  const what: string[] = []
  let content: Uint8Array | null = null
  const change = (made: { readonly what: string; readonly text: string } | null): void => {
    if (made === null) return
    content = new Uint8Array(Buffer.from(made.text))
    what.push(made.what)
  }
  // The later ones write the whole file, and so do what the first does.
  if (layoutTraits(contents).length > 0) change(rewritten(contents))
  change(orderedChain(contents, looked))
  change(convertedKey(contents, looked, question.platform, random))
  change(passphraseText(file, looked))
  const mode = isSecret(file, looked) && isOpen(file) ? 0o600 : null
  if (mode !== null) what.push(`gets the mode ${octal(mode)}`)
  return what.length === 0 ? [] : [{ path: file.name, what, mode, content, before: file.bytes }]
}

/** All of its blocks as every reader takes them. */
function rewritten({ pem }: FileContents): { readonly what: string; readonly text: string } | null {
  if (pem === null) return null
  return { what: 'is written as ASCII with line feeds', text: pem.blocks.map(({ text }) => text).join('') }
}

/** A file of which something would be lost if it were written anew. */
export function isLeftAlone(contents: FileContents): boolean {
  if (contents.file.unread !== null || isDamaged(contents)) return true
  // Source code around it would be lost.
  return contents.pem?.blocks.some(({ literal }) => literal > 0) ?? false
}

function isDamaged({ pem, derFault, isCut, unreadPlaces }: FileContents): boolean {
  return derFault !== null || isCut || unreadPlaces.length > 0 || (pem?.faults.length ?? 0) > 0
}

/** What only has the name of a passphrase file may be open for a good reason, as the logins of a broker are. */
function isSecret(file: FoundFile, { parts }: LookedAt): boolean {
  return parts.keys.some((key) => key.file === file || key.opener?.file === file)
}

function isOpen({ access }: FoundFile): boolean {
  return access !== null && (access.mode & 0o077) !== 0
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}

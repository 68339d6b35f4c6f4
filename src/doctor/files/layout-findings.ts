/** How a PEM file lies there, where that keeps libraries from reading it. */
import type { FailureName } from '../../core/failure/catalogue.ts'
import { type Finding, finding } from '../finding.ts'
import type { FileContents } from './contents.ts'
import { familiesText, type LayoutTrait, layoutRefusers } from './stacks.ts'

interface Trait {
  readonly trait: LayoutTrait
  readonly code: FailureName
  /** One sentence in front of who stops at it. */
  readonly what: string
}

/** What is odd about a file, and matters to somebody. */
export function layoutTraits({ layout, pem }: Pick<FileContents, 'layout' | 'pem'>): readonly Trait[] {
  if (layout === null || pem === null) return []
  const found: Trait[] = []
  const { encoding, hasByteOrderMark, lineEnds } = layout
  if (encoding === 'utf-16') {
    const mark = hasByteOrderMark ? ', after a byte order mark' : ''
    found.push({ trait: 'utf-16', code: 'text-wide-characters', what: `each character takes two octets${mark}` })
  } else if (hasByteOrderMark) {
    found.push({ trait: 'byte-order-mark', code: 'text-byte-order-mark', what: 'its first three octets are EF BB BF' })
  }
  if (lineEnds === 'cr') {
    found.push({ trait: 'carriage-returns', code: 'text-line-ends', what: 'there is no line feed in it' })
  }
  const { indented, blank, blankEnd, trailing } = pem.whiteSpace
  const lines = [
    ['indented', indented, 'begins with a space'],
    ['blank-line', blank, 'is empty within a block'],
    ['blank-end', blankEnd, 'is empty at the end of a block'],
    ['trailing-space', trailing, 'ends with a space'],
  ] as const
  for (const [trait, line, what] of lines) {
    if (line !== null) found.push({ trait, code: 'pem-white-space', what: `line ${line} ${what}` })
  }
  return found
}

export function layoutFindings(contents: FileContents): readonly Finding[] {
  return layoutTraits(contents).map(({ trait, code, what }) => {
    const evidence = `${what}, at which ${familiesText(layoutRefusers[trait])} stop`
    const severity = trait === 'byte-order-mark' ? 'warning' : 'fault'
    return finding(code, contents.file.name, { severity, evidence })
  })
}

/**
 * Reads PEM as a person would who looks for what is wrong with it: every block with its place, every damage with its line. The
 * readers of core take a text or refuse it; this says where it went wrong.
 */
import { quote } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { derExtent } from './der-extent.ts'

export interface ScannedBlock {
  readonly label: string
  /** Line of its BEGIN, counted from 1. */
  readonly line: number
  /** The block as strict readers want it. */
  readonly text: string
  /** What its base64 holds: ciphertext where the block has headers. */
  readonly bytes: Uint8Array
  readonly isEncrypted: boolean
  /** 0, or which string of source code it stands in, counted from 1: each is what a program loads as a file. */
  readonly literal: number
}

export interface PemFault {
  readonly code: 'pem-cut-short' | 'pem-boundary-damaged' | 'pem-text-damaged' | 'der-damaged'
  /** Label of the block, or of what seems to be one. */
  readonly label: string
  readonly line: number
  /** One sentence, with the line. It holds nothing of the content but one character. */
  readonly what: string
}

/** Lines with white space that strict readers do not pass over; each the first of its kind, counted from 1. */
export interface WhiteSpace {
  readonly indented: number | null
  readonly trailing: number | null
  /** An empty line between lines of base64, */
  readonly blank: number | null
  /** and one between them and END. */
  readonly blankEnd: number | null
}

export interface PemScan {
  /** Those that are whole. */
  readonly blocks: readonly ScannedBlock[]
  readonly faults: readonly PemFault[]
  readonly whiteSpace: WhiteSpace
}

/** What is looked for in a text. @param text without a byte order mark */
export function scanPem(text: string): PemScan {
  const scan = new Scan()
  const lines = text.split(/\r\n|\n|\r/)
  // What stands behind the last line end is no line where it is empty.
  if (lines.at(-1) === '') lines.pop()
  for (const [index, line] of lines.entries()) scan.take(line, index + 1, index === lines.length - 1)
  return scan.end(lines.length)
}

interface OpenBlock {
  readonly label: string
  readonly line: number
  readonly headers: string[]
  readonly body: { readonly text: string; readonly line: number; readonly column: number }[]
  /** True until the first line of base64. */
  isAtHead: boolean
}

class Scan {
  readonly #blocks: ScannedBlock[] = []
  readonly #faults: PemFault[] = []
  #open: OpenBlock | null = null
  #literal = 0
  readonly #space: { -readonly [line in keyof WhiteSpace]: WhiteSpace[line] } = {
    indented: null,
    trailing: null,
    blank: null,
    blankEnd: null,
  }
  /** The line of an empty one of which is not known yet what comes behind it. */
  #blank: number | null = null

  take(line: string, number: number, isLast: boolean): void {
    const boundary = boundaryIn(line)
    if (boundary === null) {
      if (literalBegin.test(line)) this.#literal++
      if (this.#open !== null) this.#takeBody(this.#open, line, number)
      else if (isLast && /^-{1,5}$|^-----[BEGIN]{1,5}$/.test(line.trim())) this.#cutShort('', number)
      return
    }
    if (boundary.isCutOff && isLast) {
      this.#cutShort(this.#open?.label ?? boundary.label, number)
      this.#open = null
      return
    }
    if (boundary.damage !== null) {
      const { label, damage } = boundary
      this.#fault('pem-boundary-damaged', label, number, `line ${number}, ${boundary.word} ${label}: ${damage}`)
    }
    this.#noteSpaces(line, number)
    if (boundary.word === 'BEGIN') this.#begin(boundary, number)
    else this.#close(boundary, number)
  }

  end(lastLine: number): PemScan {
    if (this.#open !== null) this.#cutShort(this.#open.label, lastLine)
    this.#open = null
    return { blocks: this.#blocks, faults: this.#faults, whiteSpace: this.#space }
  }

  #begin({ label, damage }: Boundary, number: number): void {
    if (this.#open !== null) {
      const { label: before, line } = this.#open
      const what = `the block ${quote(before)} of line ${line} has no END before line ${number}`
      this.#fault('pem-cut-short', before, line, what)
    }
    // Nothing that stands in one line with a boundary is looked into.
    this.#blank = null
    this.#open = damage === otherLineEnds ? null : { label, line: number, headers: [], body: [], isAtHead: true }
  }

  #close({ label, damage }: Boundary, number: number): void {
    const open = this.#open
    this.#open = null
    this.#space.blankEnd ??= this.#blank
    this.#blank = null
    if (open === null) {
      if (damage === null) {
        this.#fault('pem-cut-short', label, number, `line ${number} ends a block ${quote(label)} that has no BEGIN`)
      }
      return
    }
    if (label !== open.label && damage === null) {
      const what = `line ${number} says END ${label}, and the block of line ${open.line} began as ${open.label}`
      this.#fault('pem-boundary-damaged', open.label, number, what)
      return
    }
    const bytes = this.#decode(open)
    if (bytes === null || damage !== null) return
    const isEncrypted = open.headers.some((header) => header.startsWith('DEK-Info:'))
    const extent = isEncrypted || open.label === 'OPENSSH PRIVATE KEY' ? null : derExtent(bytes)
    if (extent !== null) {
      const { label: found, line } = open
      this.#fault('der-damaged', found, line, `the block ${quote(found)} of line ${line} ${extent}`)
      return
    }
    const text = blockText(label, open.headers, bytes)
    this.#blocks.push({ label, line: open.line, text, bytes, isEncrypted, literal: this.#literal })
  }

  #takeBody(open: OpenBlock, line: string, number: number): void {
    const trimmed = line.trim()
    if (open.isAtHead && this.#blank === null && /^[A-Za-z][A-Za-z0-9-]*: /.test(trimmed)) {
      open.headers.push(trimmed)
      return
    }
    if (trimmed === '') {
      this.#blank ??= number
      return
    }
    // Between headers and base64 an empty line belongs there (RFC 1421 §4.4), and every reader bears it without headers.
    if (!open.isAtHead) this.#space.blank ??= this.#blank
    this.#blank = null
    open.isAtHead = false
    this.#noteSpaces(line, number)
    open.body.push({ text: trimmed, line: number, column: line.length - line.trimStart().length + 1 })
  }

  #decode({ label, line, body }: OpenBlock): Uint8Array | null {
    for (const [index, part] of body.entries()) {
      const isLast = index === body.length - 1
      const at = part.text.search(isLast ? /[^A-Za-z0-9+/=]|=(?=[^=])/ : /[^A-Za-z0-9+/]/)
      if (at !== -1) {
        const place = `line ${part.line}, column ${part.column + at}`
        const character = part.text.slice(at, at + 1)
        const what = character === '=' ? 'an equals sign stands before the end' : `${quote(character)} is not base64`
        this.#fault('pem-text-damaged', label, part.line, `${place}: ${what}`)
        return null
      }
    }
    const base64 = body.map(({ text }) => text).join('')
    if (base64.length === 0) {
      this.#fault('pem-text-damaged', label, line, `nothing stands in the block ${quote(label)} of line ${line}`)
      return null
    }
    if (base64.length % 4 !== 0 || /={3}$/.test(base64)) {
      const what = `the block ${quote(label)} of line ${line} has ${base64.length} characters of base64, which is no multiple of four: some are missing`
      this.#fault('pem-text-damaged', label, line, what)
      return null
    }
    return new Uint8Array(Buffer.from(base64, 'base64'))
  }

  #noteSpaces(line: string, number: number): void {
    if (/^[ \t]/.test(line)) this.#space.indented ??= number
    if (/[ \t]$/.test(line)) this.#space.trailing ??= number
  }

  #cutShort(label: string, number: number): void {
    const what = label === '' ? `ends at line ${number}, within` : `ends at line ${number}, within ${quote(label)}`
    this.#fault('pem-cut-short', label, number, what.replace(/, within$/, ', where a block was to begin'))
  }

  #fault(code: PemFault['code'], label: string, line: number, what: string): void {
    if (this.#faults.length < limits.doctorPemFaultsMax) this.#faults.push({ code, label, line, what })
  }
}

interface Boundary {
  readonly word: 'BEGIN' | 'END'
  readonly label: string
  /** What is wrong with the line, in words; null where nothing is. */
  readonly damage: string | null
  /** It may be the beginning of a good line. */
  readonly isCutOff: boolean
}

/** The end of a line behind which a string of several lines begins: a raw one of C++ or Rust, one of Python, JavaScript or Go. */
const literalBegin = /(?:R"[A-Za-z0-9_]{0,16}\(|[=(,] ?(?:[a-z]?"{3}|r?#{0,3}"|`))\s*$/

const otherLineEnds = 'its line ends are written as "\\n" instead of being line ends'

function boundaryIn(line: string): Boundary | null {
  const text = line.trim()
  const good = /^-----(BEGIN|END) ([A-Z0-9 ]{1,64})-----$/.exec(text)
  if (good !== null) return { word: wordOf(good[1]), label: good[2] ?? '', damage: null, isCutOff: false }
  const found = /[-\u2010-\u2015\u2212_=]{1,12} {0,4}(BEGIN|END) ([A-Z][A-Z0-9 ]{0,63}|$)/i.exec(text)
  if (found === null) return null
  const label = (found[2] ?? '').trim().toUpperCase()
  const isCutOff = /^-----(BEGIN|END)( [A-Z0-9 ]{0,64}-{0,4})?$/.test(text)
  return { word: wordOf(found[1]?.toUpperCase()), label, damage: damageOf(text, found.index), isCutOff }
}

function wordOf(text: string | undefined): 'BEGIN' | 'END' {
  return text === 'END' ? 'END' : 'BEGIN'
}

function damageOf(text: string, at: number): string {
  if (/\\n/.test(text)) return otherLineEnds
  if (/[\u2010-\u2015\u2212]/.test(text)) return 'its hyphens are dashes, as word processors make them'
  if (at > 0 && !text.startsWith('-')) return 'something stands before the hyphens'
  if (!/^-----(BEGIN|END) /i.test(text))
    return `it begins with ${/^-*/.exec(text)?.[0].length ?? 0} hyphens, not with five`
  const tail = /-*$/.exec(text)?.[0].length ?? 0
  if (/-----\S/.test(text.replace(/^-----/, ''))) return 'something stands behind the hyphens'
  return tail === 5 ? 'its letters are not all capitals' : `it ends with ${tail} hyphens, not with five`
}

/** A block in lines of 64 columns, as every reader takes it. */
function blockText(label: string, headers: readonly string[], bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  const head = headers.length === 0 ? [] : [...headers, '']
  return [`-----BEGIN ${label}-----`, ...head, ...lines, `-----END ${label}-----`, ''].join('\n')
}

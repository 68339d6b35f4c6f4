/** How a text lies in a file: encoding, mark, line ends. Some readers pass over what others stumble at. */
import { textOfFile } from '../../core/key-file/text-of-file.ts'

export interface TextLayout {
  /** Without a byte order mark. */
  readonly text: string
  /** `latin-1` stands for any old encoding of one octet a character. */
  readonly encoding: 'ascii' | 'utf-8' | 'utf-16' | 'latin-1'
  readonly hasByteOrderMark: boolean
  /** `cr` where no line feed is there; `none` where it is one line without an end. */
  readonly lineEnds: 'lf' | 'crlf' | 'cr' | 'mixed' | 'none'
}

/** Null where the octets are no text. */
export function textLayout(bytes: Uint8Array): TextLayout | null {
  const decoded = textOfFile(bytes)
  // Comments in an old encoding do not make a PEM file another thing.
  const text = decoded ?? (hasPemBoundary(bytes) ? Buffer.from(bytes).toString('latin1') : null)
  if (text === null) return null
  const [first, second] = bytes
  const isMarkedUtf8 = first === 0xef && second === 0xbb && bytes[2] === 0xbf
  const isWide = decoded !== null && (isMark(first, second) || (bytes.length >= 2 && (first === 0) !== (second === 0)))
  return {
    text: text.replace(/^\ufeff/, ''),
    encoding:
      decoded === null ? 'latin-1' : isWide ? 'utf-16' : bytes.some((octet) => octet > 0x7e) ? 'utf-8' : 'ascii',
    hasByteOrderMark: isMarkedUtf8 || isMark(first, second),
    lineEnds: lineEndsOf(text),
  }
}

function isMark(first: number | undefined, second: number | undefined): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
}

function hasPemBoundary(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes('-----BEGIN ')
}

function lineEndsOf(text: string): TextLayout['lineEnds'] {
  const pairs = text.match(/\r\n/g)?.length ?? 0
  const feeds = (text.match(/\n/g)?.length ?? 0) - pairs
  const returns = (text.match(/\r/g)?.length ?? 0) - pairs
  const kinds = [pairs > 0, feeds > 0, returns > 0].filter(Boolean).length
  if (kinds === 0) return 'none'
  if (kinds > 1) return 'mixed'
  return pairs > 0 ? 'crlf' : feeds > 0 ? 'lf' : 'cr'
}

/** The lines of a body, each a row. */
import { isUtf8 } from 'node:buffer'
import { HubError } from '../../../core/errors.ts'
import { limits } from '../../../core/limits.ts'

export interface Line {
  readonly text: string
  /** True where it is longer than a row may be; its text is empty then. */
  readonly isTooLong: boolean
}

const lineFeed = 0x0a
const carriageReturn = 0x0d
/** Lines that hold nothing are passed over, as many as there may be rows. */
const linesMax = 2 * limits.importRowsMax + 1

/**
 * The lines that hold something, without their ends (LF, CRLF, or CR where there is no LF) and without a byte order mark.
 *
 * @throws HubError `request-invalid` for bytes that are not UTF-8, `import-too-long`
 */
export class BodyLines implements Iterable<Line> {
  readonly #bytes: Buffer
  readonly #end: number
  /** How many lines hold something. */
  readonly count: number

  constructor(body: Buffer) {
    if (!isUtf8(body)) {
      throw new HubError('request-invalid', 'the body is not UTF-8', {
        hint: 'save it with the encoding UTF-8; spreadsheets offer that when they export',
        faults: [{ in: 'body', pointer: '', message: 'is not UTF-8' }],
      })
    }
    const hasMark = body.length >= 3 && body.readUIntBE(0, 3) === 0xefbbbf
    this.#bytes = hasMark ? body.subarray(3) : body
    this.#end = this.#bytes.includes(lineFeed) ? lineFeed : carriageReturn
    this.count = this.#counted()
  }

  *[Symbol.iterator](): Generator<Line> {
    for (const [from, to] of this.#spans()) {
      const isTooLong = to - from > limits.importRowBytesMax
      yield { text: isTooLong ? '' : this.#bytes.toString('utf8', from, to), isTooLong }
    }
  }

  #counted(): number {
    let count = 0
    for (const _span of this.#spans()) count += 1
    return count
  }

  *#spans(): Generator<readonly [from: number, to: number]> {
    const bytes = this.#bytes
    let lines = 0
    for (let from = 0; from < bytes.length; ) {
      lines += 1
      if (lines > linesMax) throw tooLong(`more than ${linesMax.toLocaleString('en')} lines`)
      const found = bytes.indexOf(this.#end, from)
      const end = found === -1 ? bytes.length : found
      const to = end > from && bytes[end - 1] === carriageReturn ? end - 1 : end
      if (!isBlank(bytes, from, to)) yield [from, to]
      from = end + 1
    }
  }
}

/** Spaces and tabs are nothing; a line that begins with more of them than a row may be long is no blank one. */
function isBlank(bytes: Buffer, from: number, to: number): boolean {
  const end = Math.min(to, from + limits.importRowBytesMax)
  for (let at = from; at < end; at += 1) if (bytes[at] !== 0x20 && bytes[at] !== 0x09) return false
  return end === to
}

export function tooLong(what: string): HubError {
  const most = limits.importRowsMax.toLocaleString('en')
  return new HubError('import-too-long', `the body holds ${what}; one import takes ${most} devices`)
}

/** The lines of a body, each a row. A large body is looked through in pieces, so that others are served meanwhile. */
import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { HubError } from '../../../core/errors.ts'
import { limits } from '../../../core/limits.ts'

export interface Line {
  readonly text: string
  /** True where it is longer than a row may be; its text is empty then. */
  readonly isTooLong: boolean
}

/** Lines that hold something, without their ends and without a byte order mark. */
export interface BodyLines extends Iterable<Line> {
  readonly count: number
  /** SHA-256 of the whole body, hexadecimal. */
  readonly bodyHash: string
}

const lineFeed = 0x0a
const carriageReturn = 0x0d
/** Lines that hold nothing are passed over, as many as there may be rows. */
const linesMax = 2 * limits.importRowsMax + 1
/** Bytes, and lines, that are looked at in one turn of the event loop: about 2 ms. */
const bytesInTurn = 1024 * 1024
const linesInTurn = 5_000

/**
 * Lines end with LF, CRLF, or CR where there is no LF.
 *
 * @throws HubError `request-invalid` for bytes that are not UTF-8, `import-too-long`
 */
export async function readLines(body: Buffer): Promise<BodyLines> {
  const hash = createHash('sha256')
  let end = carriageReturn
  for (let from = 0; from < body.length; ) {
    const to = pieceEnd(body, from)
    const piece = body.subarray(from, to)
    if (!isUtf8(piece)) throw notUtf8()
    if (piece.includes(lineFeed)) end = lineFeed
    hash.update(piece)
    from = to
    await nextTurn()
  }
  const bytes = withoutMark(body)
  const count = await counted(bytes, end)
  return { count, bodyHash: hash.digest('hex'), [Symbol.iterator]: () => lines(bytes, end) }
}

/** A piece does not end within a character: only a byte that begins one is at its end. */
function pieceEnd(body: Buffer, from: number): number {
  let to = Math.min(body.length, from + bytesInTurn)
  while (to < body.length && ((body[to] ?? 0) & 0xc0) === 0x80 && to > from + bytesInTurn - 4) to -= 1
  return to
}

function notUtf8(): HubError {
  return new HubError('request-invalid', 'the body is not UTF-8', {
    hint: 'save it with the encoding UTF-8; spreadsheets offer that when they export',
    faults: [{ in: 'body', pointer: '', message: 'is not UTF-8' }],
  })
}

function withoutMark(body: Buffer): Buffer {
  return body.length >= 3 && body.readUIntBE(0, 3) === 0xefbbbf ? body.subarray(3) : body
}

async function counted(bytes: Buffer, end: number): Promise<number> {
  let count = 0
  for (const _span of spans(bytes, end)) {
    count += 1
    if (count % linesInTurn === 0) await nextTurn()
  }
  return count
}

function* lines(bytes: Buffer, end: number): Generator<Line> {
  for (const [from, to] of spans(bytes, end)) {
    const isTooLong = to - from > limits.importRowBytesMax
    yield { text: isTooLong ? '' : bytes.toString('utf8', from, to), isTooLong }
  }
}

/** Where each line that holds something begins and ends. */
function* spans(bytes: Buffer, end: number): Generator<readonly [from: number, to: number]> {
  let count = 0
  for (let from = 0; from < bytes.length; ) {
    count += 1
    if (count > linesMax) throw tooLong(`more than ${linesMax.toLocaleString('en')} lines`)
    const found = bytes.indexOf(end, from)
    const next = found === -1 ? bytes.length : found
    const to = next > from && bytes[next - 1] === carriageReturn ? next - 1 : next
    if (!isBlank(bytes, from, to)) yield [from, to]
    from = next + 1
  }
}

/** Spaces and tabs are nothing; a line that begins with more of them than a row may be long is no blank one. */
function isBlank(bytes: Buffer, from: number, to: number): boolean {
  const end = Math.min(to, from + limits.importRowBytesMax)
  for (let at = from; at < end; at += 1) if (bytes[at] !== 0x20 && bytes[at] !== 0x09) return false
  return end === to
}

/** @param what the body holds too much of */
export function tooLong(what: string): HubError {
  const most = limits.importRowsMax.toLocaleString('en')
  return new HubError('import-too-long', `the body holds ${what}; one import takes ${most} devices`)
}

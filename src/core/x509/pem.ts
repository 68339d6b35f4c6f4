/** PEM (RFC 7468): strict form out; in, text around the blocks, CRLF and white space are passed over. */
import { HubError, quote } from '../errors.ts'
import type { FailureName } from '../failure/catalogue.ts'

/** One block: what it says it is, and the bytes. */
export interface PemBlock {
  /** Such as `CERTIFICATE`. */
  readonly label: string
  readonly der: Uint8Array
}

/** A block in lines of 64 columns, each ended by LF. */
export function encodePem(label: string, der: Uint8Array): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('base64')
  const lines = base64.match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

/**
 * The blocks of a text, in its order; none when it holds none. Explanatory text outside the blocks is ignored.
 *
 * @param unreadable code of the failure where a block is damaged
 * @throws HubError of that code: a block without its end, with headers, or that is not base64
 */
export function decodePem(text: string, unreadable: FailureName = 'certificate-unreadable'): PemBlock[] {
  const blocks: PemBlock[] = []
  let open: { readonly label: string; readonly lines: string[] } | null = null
  for (const line of text.split(/\r\n|\n|\r/)) {
    const boundary = /^-----(BEGIN|END) ([A-Z0-9 ]{1,64})-----\s*$/.exec(line)
    if (open === null) {
      if (boundary?.[1] === 'BEGIN') open = { label: boundary[2] ?? '', lines: [] }
    } else if (boundary === null) {
      open.lines.push(line)
    } else {
      if (boundary[1] !== 'END' || boundary[2] !== open.label) {
        throw new HubError(unreadable, `the PEM block ${quote(open.label)} has no end of its own`)
      }
      blocks.push({ label: open.label, der: decodeBase64(open.lines.join(''), open.label, unreadable) })
      open = null
    }
  }
  if (open !== null) throw new HubError(unreadable, `the PEM block ${quote(open.label)} has no end`)
  return blocks
}

function decodeBase64(text: string, label: string, unreadable: FailureName): Uint8Array {
  const base64 = text.replace(/[ \t]/g, '')
  if (base64.length === 0 || base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) {
    throw new HubError(unreadable, `the PEM block ${quote(label)} is not base64`)
  }
  return new Uint8Array(Buffer.from(base64, 'base64'))
}

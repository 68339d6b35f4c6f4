/** A multipart/mixed body (RFC 2046 §5.1): what `serverkeygen` answers with. */

export interface BodyPart {
  /** Media type with its parameters. */
  readonly type: string
  /** `base64`: the content is base64 in lines. `7bit`: it is lines of ASCII as they are. */
  readonly encoding: 'base64' | '7bit'
  /** Ends with CR LF, and has no line that begins with `--`, a boundary apart. */
  readonly content: string
}

export interface Multipart {
  readonly contentType: string
  readonly body: string
}

/**
 * Puts parts into one body, in order.
 *
 * The parts are MIME, where `Content-Transfer-Encoding` has its meaning, so they carry it as in RFC 7030 appendix A.4; it is
 * the header of HTTP that RFC 8951 §2.1 does away with.
 *
 * @param boundary 1 to 70 letters and digits that stand in no part: random ones, where parts hold secrets of a client
 */
export function multipartMixed(parts: readonly BodyPart[], boundary: string): Multipart {
  const sections = parts.map(
    ({ type, encoding, content }) =>
      `--${boundary}\r\nContent-Type: ${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${content}`,
  )
  return {
    contentType: `multipart/mixed; boundary=${boundary}`,
    body: `${sections.join('')}--${boundary}--\r\n`,
  }
}

/** Base64 as EST carries it: always, whatever a header says (RFC 8951 §2.1). */
import { HubError } from '../../core/errors.ts'

/** In lines of 76 characters that end with CR LF, the last one too (RFC 2045 §6.8). */
export function base64Lines(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('base64')
  return `${(text.match(/.{1,76}/g) ?? []).join('\r\n')}\r\n`
}

/**
 * The PKCS#10 of a request's body: base64 of DER, with or without line breaks, or bare DER. Its type is
 * `application/pkcs10`, else there is no body here.
 *
 * @throws HubError `csr-unreadable`
 */
export function requestBody(body: unknown): Uint8Array {
  if (!Buffer.isBuffer(body) || body.length === 0) {
    throw new HubError('csr-unreadable', 'the request has no body of type application/pkcs10')
  }
  if (body[0] === 0x30) return body
  const text = body.toString('latin1')
  if (text.startsWith('-----')) {
    throw new HubError('csr-unreadable', 'the body is PEM; EST wants base64 of DER without the PEM lines')
  }
  const compact = text.replace(/[\s]+/g, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) {
    throw new HubError('csr-unreadable', 'the body is neither base64 nor DER')
  }
  return Buffer.from(compact, 'base64')
}

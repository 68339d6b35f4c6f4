/** What a file of certificates or keys is, told by its first octets and its labels; nothing is decoded for that. */
import { textOfFile } from './text-of-file.ts'

/** A PEM block as it stands, from its first line to its last. */
export interface PemText {
  readonly label: string
  readonly text: string
}

export type FileKind =
  /** Nothing, or white space. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'pem'; readonly blocks: readonly PemText[] }
  /** An element of ASN.1 that may be in DER. */
  | { readonly kind: 'der'; readonly der: Uint8Array }
  /** Something else, in words that go behind "is". */
  | { readonly kind: 'other'; readonly what: string }

export function fileKind(bytes: Uint8Array): FileKind {
  if (bytes.length === 0) return { kind: 'empty' }
  const store = bytes.length >= 4 ? binaryStores.get(Buffer.from(bytes.subarray(0, 4)).toString('hex')) : undefined
  if (store !== undefined) return { kind: 'other', what: store }
  const text = textOfFile(bytes)
  if (text === null)
    return bytes[0] === 0x30 ? { kind: 'der', der: bytes } : { kind: 'other', what: 'neither PEM nor DER' }
  if (text.trim() === '') return { kind: 'empty' }
  const blocks = [...text.matchAll(block)].map(([whole, label = '']) => ({ label, text: `${unwrapped(whole)}\n` }))
  if (blocks.length > 0) return { kind: 'pem', blocks }
  return bareBase64(text) ?? { kind: 'other', what: whatTextIs(text) }
}

const block = /-----BEGIN ([A-Z0-9 ]{1,64})-----[\s\S]{0,65536}?-----END \1-----/g

/** Lines without what mail and editors put around them. */
function unwrapped(text: string): string {
  return text
    .split(/\r\n|\n|\r/)
    .map((line) => line.trim())
    .join('\n')
}

const binaryStores: ReadonlyMap<string, string> = new Map([
  ['feedfeed', 'a Java keystore (JKS)'],
  ['cececece', 'a Java keystore (JCEKS)'],
  ['504b0304', 'a ZIP archive'],
])

/** Base64 without the lines around it, as some tools show it: taken for what it says. */
function bareBase64(text: string): FileKind | null {
  const base64 = text.replace(/\s+/g, '')
  if (base64.length < 64 || base64.length % 4 !== 0 || !/^MI[A-Za-z0-9+/]+={0,2}$/.test(base64)) return null
  return { kind: 'der', der: new Uint8Array(Buffer.from(base64, 'base64')) }
}

function whatTextIs(text: string): string {
  const start = text.trimStart()
  if (start.includes('-----BEGIN ')) return 'a PEM file that is cut short: a block has no end'
  if (start.startsWith('PuTTY-User-Key-File')) return 'a key of PuTTY'
  if (/^(ssh-(rsa|ed25519)|ecdsa-sha2-)/.test(start)) return 'a public key of SSH'
  if (/^\{[\s\S]*"kty"/.test(start)) return 'a JSON Web Key'
  if (start.startsWith('{')) return 'JSON'
  if (/^<(\?xml|!doctype|html)/i.test(start)) return 'a web page or XML'
  return 'text without a PEM block'
}

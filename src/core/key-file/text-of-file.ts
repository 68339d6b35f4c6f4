/** Text as editors, shells and operating systems leave it in a file. */

/**
 * The text in some octets: UTF-8 with or without a byte order mark, or UTF-16, which is what PowerShell redirects. Null where they
 * are no text.
 */
export function textOfFile(bytes: Uint8Array): string | null {
  const [first, second] = bytes
  if (first === 0xff && second === 0xfe) return utf16(bytes.subarray(2), 'le')
  if (first === 0xfe && second === 0xff) return utf16(bytes.subarray(2), 'be')
  // Without a mark: what begins in ASCII has a zero in every other octet.
  if (bytes.length >= 2 && first !== 0 && second === 0) return utf16(bytes, 'le')
  if (bytes.length >= 2 && first === 0 && second !== 0) return utf16(bytes, 'be')
  try {
    return printable(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return null
  }
}

function utf16(bytes: Uint8Array, order: 'le' | 'be'): string | null {
  try {
    return printable(new TextDecoder(`utf-16${order}`, { fatal: true }).decode(bytes))
  } catch {
    return null
  }
}

/** Octets that happen to decode are no text where control characters stand between. */
function printable(text: string): string | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return /[\u0000-\u0008\u000e-\u001a\u001c-\u001f]/.test(text) ? null : text
}

/**
 * A text that may be a stranger's, made safe for a terminal: control characters and those that reorder or hide the text
 * around them are escaped. Line feeds stay.
 */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    return `\\u{${code.toString(16)}}`
  })
}

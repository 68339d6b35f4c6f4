/** Text of a stranger, made safe to stand in a line of a report. */

/** On one line, without control characters or such as reorder the text around them, cut at 120 characters. */
export function printableText(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, ' ').trim()
  return line.length > 120 ? `${line.slice(0, 120)}…` : line
}

/** A path as a POSIX shell takes it in a command that somebody copies; quoted only where it must be. */
export function shellPath(path: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}

/** A text as a QR code (ISO/IEC 18004) in a terminal. */
import { renderUnicodeCompact } from 'uqr'

/** Four modules of nothing around it, as the standard asks; readers find it by them. */
const quietZone = 4
/** What is written is light and what is left out dark, whatever colours the terminal has: many readers know no other way. */
const lightOnDark = '\u001b[38;5;231;48;5;16m'
const asBefore = '\u001b[0m'

/**
 * Lines of half blocks, each of which is two modules high; light modules are written.
 *
 * @param text at most 2,953 bytes
 * @param isColoured whether a terminal shows it
 */
export function qrCode(text: string, isColoured: boolean): string {
  const lines = renderUnicodeCompact(text, { ecc: 'L', border: quietZone }).split('\n')
  return lines.map((line) => (isColoured ? lightOnDark + line + asBefore : line)).join('\n')
}

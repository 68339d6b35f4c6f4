/** The file of a passphrase as every program takes it: the passphrase and nothing else. */
import type { LookedAt } from '../examine-files.ts'
import type { FoundFile } from '../found-file.ts'

/** Null where it is so, and where it does not open the key: then it may be right as it is. */
export function passphraseText(
  file: FoundFile,
  { parts, passphrases }: LookedAt,
): { readonly what: string; readonly text: string } | null {
  const opener = parts.keys.flatMap((key) => key.opener ?? []).find((each) => each.file === file)
  const found = passphrases.find((each) => each.file === file)
  if (opener === undefined || found === undefined || opener.reading === 'with-line-end') return null
  const text = found.candidates.find(({ reading }) => reading === opener.reading)?.passphrase.reveal()
  if (text === undefined || Buffer.compare(Buffer.from(text), file.bytes) === 0) return null
  return { what: 'holds the passphrase alone, without line end, mark or spaces around it', text }
}

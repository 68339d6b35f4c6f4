/**
 * A line of the journal: a hash, a space, JSON. The hash covers the JSON and the hash of the line before, so that a line
 * that is changed, cut, left out or put in is found, with `sha256sum` as well as here.
 */
import { createHash } from 'node:crypto'

/** Lower-case hexadecimal SHA-256, 64 characters. */
export type LineHash = string

/** The hash before the first line of a journal. */
export const journalStart: LineHash = '0'.repeat(64)

const hashChars = 64

/** The hash of a line: SHA-256 over the hash of the line before, as text, a line feed and the JSON in UTF-8. */
export function lineHash(previous: LineHash, json: string): LineHash {
  return createHash('sha256').update(`${previous}\n${json}`).digest('hex')
}

/** A line with its line feed. JSON has none within it. */
export function lineOf(hash: LineHash, json: string): string {
  return `${hash} ${json}\n`
}

/** The JSON of a line without its line feed, or null when the line does not continue the chain. */
export function jsonOf(line: string, previous: LineHash): { readonly hash: LineHash; readonly json: string } | null {
  const hash = line.slice(0, hashChars)
  const json = line.slice(hashChars + 1)
  if (line[hashChars] !== ' ' || hash !== lineHash(previous, json)) return null
  return { hash, json }
}

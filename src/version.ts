/** The version in package.json, the one place where it is written. */
import { readFileSync } from 'node:fs'

/** A semantic version, as in "0.1.0". */
export const version: string = readVersion()

function readVersion(): string {
  // src/ in a clone and dist/ in the package both stand beside package.json.
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const parsed: unknown = JSON.parse(text)
  const value = typeof parsed === 'object' && parsed !== null && 'version' in parsed ? parsed.version : undefined
  return typeof value === 'string' ? value : 'unknown'
}

/** Entity tags (RFC 9110 §8.8.3) in the headers `If-Match` and `If-None-Match`. */
import { HubError, quote } from '../core/errors.ts'

/**
 * True when a reader says with `If-None-Match` that it has this already. The comparison is weak (RFC 9110 §13.1.2): a tag
 * that a proxy has made weak still tells what is known.
 */
export function matchesTag(ifNoneMatch: string | undefined, tag: string): boolean {
  const known = (ifNoneMatch ?? '').split(',').map((each) => each.trim().replace(/^W\//, ''))
  return known.includes('*') || known.includes(tag)
}

/**
 * The versions that `If-Match` allows, or null for `*`, which is any. The comparison is strong (RFC 9110 §13.1.1): weak tags
 * match nothing. Of `"7.x"` only the version before the dot is asked.
 *
 * @throws HubError `request-invalid` where it is no list of entity tags
 */
export function versionsIn(ifMatch: string): ReadonlySet<number> | null {
  if (ifMatch.trim() === '*') return null
  const versions = new Set<number>()
  for (const each of ifMatch.split(',')) {
    const match = /^\s*(W\/)?"([\x21\x23-\x7e]*)"\s*$/.exec(each)
    if (match === null) {
      const message = 'is not a list of ETags'
      throw new HubError('request-invalid', `the If-Match ${quote(ifMatch)} ${message}`, {
        hint: 'send the ETag of the device as it was answered, quotes included',
        faults: [{ in: 'header', pointer: '/If-Match', message }],
      })
    }
    const [version = ''] = (match[2] ?? '').split('.')
    if (match[1] === undefined && /^[1-9][0-9]{0,14}$/.test(version)) versions.add(Number(version))
  }
  return versions
}

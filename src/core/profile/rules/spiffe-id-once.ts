import { quote } from '../../errors.ts'
import type { LintRule } from '../lint-rule.ts'

export const spiffeIdOnce: LintRule = {
  name: 'spiffe-id-once',
  clause: 'X509-SVID §2; SPIFFE-ID §2',
  reason: 'peers refuse a certificate with two URIs, and read who it is from the one that there is',
  faultOf({ plan: { identity }, names: { uris } }) {
    if (identity === null) return uris.length === 0 ? null : 'speaks for nobody and has a URI'
    if (identity.spiffeId === null) return null
    const [uri, ...more] = uris
    if (uri === undefined) return 'has no SPIFFE ID'
    if (more.length > 0) return `has ${uris.length} URIs`
    if (!isSpiffeId(uri)) return `has the URI ${quote(uri)}, which is no SPIFFE ID`
    return uri === identity.spiffeId ? null : `has the SPIFFE ID ${quote(uri)}, not ${quote(identity.spiffeId)}`
  },
}

function isSpiffeId(uri: string): boolean {
  return (
    uri.length <= 2048 &&
    /^spiffe:\/\/[a-z0-9._-]{1,255}(?:\/[A-Za-z0-9._-]+)+$/.test(uri) &&
    !/\/\.{1,2}(?:\/|$)/.test(uri)
  )
}

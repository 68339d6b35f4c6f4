/** Where word of the revocations of a trust anchor comes from besides what an operator hands in. */
import { limits } from '../limits.ts'

export interface RevocationSources {
  /** Addresses of CRLs, http or https: of the authority, and of those below it. */
  readonly crlUrls: readonly string[]
  /** Address of an OCSP responder; null for none. */
  readonly ocspUrl: string | null
  /** Whether CRLs and responders that its certificates name are asked too. */
  readonly isByCertificates: boolean
  /** Hosts, lower case, that certificates may name although they are not on the public internet. */
  readonly hosts: readonly string[]
}

export const noSources: RevocationSources = { crlUrls: [], ocspUrl: null, isByCertificates: false, hosts: [] }

/** What is wrong with an address that something is fetched from, as words behind "it"; null if nothing is. */
export function sourceFault(url: string): string | null {
  if (url.length > limits.statusUrlCharsMax) return `is longer than ${limits.statusUrlCharsMax} characters`
  if (!/^[\x21-\x7e]+$/.test(url)) return 'holds a space or a character outside of ASCII'
  const parsed = URL.parse(url)
  if (parsed === null) return 'is no URL'
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') return 'is neither http nor https'
  if (parsed.username !== '' || parsed.password !== '') return 'holds a user or a password'
  return parsed.hash === '' ? null : 'has a fragment'
}

/** The host of a URL as it is compared: lower case, an IPv6 address without its brackets. */
export function hostOf(url: string): string {
  const { hostname } = new URL(url)
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}

/** Hosts that the operator has named: what they point to may be anywhere. */
export function namedHosts({ crlUrls, ocspUrl, hosts }: RevocationSources): ReadonlySet<string> {
  return new Set([...hosts, ...crlUrls.map(hostOf), ...(ocspUrl === null ? [] : [hostOf(ocspUrl)])])
}

/** As it stands in the registry. */
export function sourcesText(sources: RevocationSources): string {
  const { crlUrls, ocspUrl, isByCertificates, hosts } = sources
  return JSON.stringify({ crlUrls, ocspUrl, isByCertificates, hosts })
}

/** Reads what {@link sourcesText} wrote; what is left out is nothing. */
export function parseSources(text: string): RevocationSources {
  return { ...noSources, ...(JSON.parse(text) as Partial<RevocationSources>) }
}

/** What is wrong with the URL that a certificate names a CRL or its issuer by, as words behind "which"; null if nothing is. */
export function httpUrlFault(url: string): string | null {
  if (!url.startsWith('http://')) return 'is not plain HTTP'
  const parsed = URL.parse(url)
  if (parsed === null) return 'cannot be read'
  if (parsed.username !== '' || parsed.password !== '') return 'holds a user'
  if (parsed.search !== '' || parsed.hash !== '') return 'has a query or a fragment'
  return parsed.pathname.length > 1 ? null : 'has no path'
}

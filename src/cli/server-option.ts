/** A server as it is named in an option: `host:port`. */
import { HubError, quote } from '../core/errors.ts'

/** @throws HubError `usage` */
export function parseServer(text: string): { readonly host: string; readonly port: number } {
  const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]{1,253}):([0-9]{1,5})$/.exec(text)
  const port = Number(match?.[2])
  if (match?.[1] === undefined || port < 1 || port > 65_535) {
    throw new HubError('usage', `--to ${quote(text)} is no server`, {
      hint: 'write it as host:port, an IPv6 address in brackets',
    })
  }
  return { host: match[1].replace(/^\[(.*)\]$/, '$1'), port }
}

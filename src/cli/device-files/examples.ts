/** The examples of a folder: files of `examples/`, in which the id of the device and the place of its hub are filled in. */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { assert, HubError, quote } from '../../core/errors.ts'
import type { KitFile } from './credential-files.ts'
import { type DevicePlatform, platformKits } from './platforms.ts'

/** The same place above the sources and above what is compiled from them. */
const folder = new URL('../../../examples/', import.meta.url)

/** Where the device connects to. */
export interface Server {
  /** A name or an address; of IPv6 without brackets. */
  readonly host: string
  readonly port: number
}

/**
 * Looks whether a server can stand in a program of any language as it is.
 *
 * @throws HubError `usage`
 */
export function assertPlain({ host }: Server): void {
  if (isIP(host) !== 0 || /^[A-Za-z0-9._-]{1,253}$/.test(host)) return
  throw new HubError('usage', `${quote(host)} is not a host name that programs can be told`, {
    hint: 'name the server with --to <host:port>',
  })
}

/** The values of the placeholders, such as `ID` for `@ID@`. */
export type Values = Readonly<Record<string, string>>

export function serverValues(id: string, server: Server): Values {
  const { host, port } = server
  return { ID: id, HOST: host, URI_HOST: host.includes(':') ? `[${host}]` : host, PORT: String(port) }
}

/** The examples of a platform, and its README. */
export function exampleFiles(platform: DevicePlatform, values: Values): readonly KitFile[] {
  return [...platformKits[platform].examples, readme].map(([name, what]) => ({
    name,
    what,
    data: filled(`${platform}/${name}`, values),
    mode: 0o644,
  }))
}

const readme = ['README.md', 'what to do with these files'] as const

function filled(name: string, values: Values): string {
  const text = readFileSync(new URL(name, folder), 'utf8')
  return text.replace(/@([A-Z_]+)@/g, (_, placeholder: string) => {
    const value = values[placeholder]
    assert(value !== undefined, `${name} has the placeholder ${placeholder}, for which there is no value`)
    return value
  })
}
